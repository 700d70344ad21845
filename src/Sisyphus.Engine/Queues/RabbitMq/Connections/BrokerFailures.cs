using System.ComponentModel;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;

using RabbitMQ.Client;
using RabbitMQ.Client.Exceptions;

namespace Sisyphus.Engine.Queues.RabbitMq.Connections;

/// <summary>What went wrong with the broker, in the queue's words.</summary>
internal static class BrokerFailures
{
    private const string TryAgain = "Check that the broker runs and can be reached from here.";
    private static readonly string CheckPort = $"Check the port: {BrokerAddress.DefaultPort} is usual for amqp, {BrokerAddress.DefaultTlsPort} for amqps.";

    /// <param name="doing">What could not be done, after "could not": <c>declare sisyphus.bus</c>.</param>
    public static QueueException Translate(Exception error, BrokerAddress address, string doing)
    {
        if (error is QueueException already)
            return already;
        foreach (var cause in Causes(error))
        {
            if (Explain(cause, address) is { } found)
                return new QueueException(found.Failure, $"The queue {address} could not {doing}: {found.What.TrimEnd('.')}. {found.Advice}", error);
        }
        return new QueueException(QueueFailure.Unavailable, $"The queue {address} could not {doing}: {Innermost(error).Message.TrimEnd('.')}. {TryAgain}", error);
    }

    /// <summary>The broker takes no messages at present (an alarm); what was sent waits in the connection.</summary>
    /// <param name="reason">The broker's, as <c>low on disk</c>.</param>
    public static QueueException Blocked(BrokerAddress address, string doing, string? reason) =>
        new(QueueFailure.Full, $"The queue {address} could not {doing}: the broker takes no messages at present{(string.IsNullOrEmpty(reason) ? "" : $" ({reason})")}. Make room on the broker's machine; it goes on by itself then.");

    /// <summary>Whether it failed because something is not there that a message goes to, or through; the message may have arrived even so when another one on the same channel was the cause.</summary>
    public static bool IsMissing(QueueException error) =>
        error.InnerException is { } cause && Causes(cause).Any(inner => inner is PublishReturnException or OperationInterruptedException { ShutdownReason.ReplyCode: Constants.NotFound });

    /// <summary>Whether the broker refused the message itself.</summary>
    public static bool IsRefused(QueueException error) =>
        error.InnerException is { } cause && Causes(cause).Any(inner => inner is PublishException and not PublishReturnException);

    /// <summary>Whether the queue is on a member of the cluster that is down, or has not got it running yet: it is there, and must not be declared again.</summary>
    public static bool IsDown(Exception? error) =>
        error is not null && Causes(error).Any(inner => inner is OperationInterruptedException { ShutdownReason: { ReplyCode: Constants.NotFound } reason }
            && (reason.ReplyText.Contains("is down or inaccessible", StringComparison.Ordinal) || reason.ReplyText.Contains("process is stopped by supervisor", StringComparison.Ordinal)));

    /// <summary>For an address with several hosts, none of which let us in.</summary>
    public static QueueException NoHost(BrokerAddress address, IReadOnlyList<(BrokerHost Host, QueueException Error)> failures)
    {
        var start = $"The queue {address} could not ";
        var each = failures.Select(failure => failure.Error.Message.Replace(start, "", StringComparison.Ordinal));
        return new QueueException(QueueFailure.Unavailable, $"{start}be reached at any of its {failures.Count} hosts. Could not {string.Join(" Could not ", each.Distinct())}", new AggregateException(failures.Select(failure => failure.Error)));
    }

    private static (QueueFailure Failure, string What, string Advice)? Explain(Exception error, BrokerAddress address) => error switch
    {
        UnusableFileException => (QueueFailure.Denied, error.Message, "Correct the address, or give this user the right to read the file."),
        RefusedCertificateException => (QueueFailure.Denied, $"the broker's certificate is refused: {error.Message}", "Nothing was sent to it."),
        // The broker closes the connection with a reason, or, when it is old, without one.
        AuthenticationFailureException or PossibleAuthenticationFailureException => WrongPassword(address),
        PublishReturnException returned => (QueueFailure.Unavailable, $"the broker returned the message ({returned.ReplyCode} {returned.ReplyText}): there is no queue '{returned.RoutingKey}', or the member of the cluster that has it is down", "Wait for the member, or start a node, which declares the queues."),
        PublishException => (QueueFailure.Full, "the broker refused the message: the queue is at its limit, or could not write it", "Make room on the broker, or try again."),
        OperationInterruptedException { ShutdownReason: { } reason } => BrokerReplies.Explain(reason, address),
        AuthenticationException => TlsFailed(error),
        PacketNotRecognizedException or ProtocolVersionMismatchException or MalformedFrameException or WireFormattingException or UnexpectedFrameException =>
            NoBroker(),
        EndOfStreamException => (QueueFailure.Unavailable, "the connection was cut", Check(address)),
        // The client's words for anything that is no AMQP; it has lost what came instead.
        IOException when error.Message.StartsWith("connection.start was never received", StringComparison.Ordinal) => NoBroker(),
        SocketException socket => (QueueFailure.Unavailable, BrokerReplies.OfSocket(socket), Check(address)),
        // With TLS 1.3 a broker refuses the client's certificate only after the handshake, where the stream fails in the platform's words.
        CryptographicException or Win32Exception when address.UsesTls => TlsFailed(error),
        TimeoutException => (QueueFailure.Unavailable, error.Message, Check(address)),
        OperationCanceledException => (QueueFailure.Unavailable, "no answer within the time limit", TryAgain),
        _ => null,
    };

    private static string Check(BrokerAddress address) =>
        $"{TryAgain} {CheckPort}{(address.UsesTls ? " If the broker wants a client certificate, check certfile= and keyfile=." : "")}";

    private static (QueueFailure Failure, string What, string Advice) TlsFailed(Exception error) =>
        (QueueFailure.Denied, $"TLS failed ({Innermost(error).Message.TrimEnd('.')})", "Check that the port speaks TLS, and, where the broker wants one, the client certificate (certfile=, keyfile=).");

    private static (QueueFailure Failure, string What, string Advice) NoBroker() =>
        (QueueFailure.Unavailable, "what answers there does not speak AMQP 0.9.1", CheckPort);

    private static (QueueFailure Failure, string What, string Advice) WrongPassword(BrokerAddress address) => address.User is { } user
        ? (QueueFailure.Denied, $"the broker knows no user '{user}' with this password", "Correct them in the address or give them with -Credential.")
        : (QueueFailure.Denied, "the broker does not let its guest, or this client certificate, in from here", "Give a user and a password with -Credential.");

    /// <summary>From the outside in, each inner exception after the one that holds it; certificates and files last what they were first.</summary>
    private static IEnumerable<Exception> Causes(Exception error)
    {
        // The client wraps everything; what lies inside says more, but for the ones that we made.
        if (error is RefusedCertificateException or UnusableFileException or TimeoutException)
            yield return error;
        var inner = error is AggregateException all ? all.Flatten().InnerExceptions : error.InnerException is { } one ? [one] : (IEnumerable<Exception>)[];
        foreach (var cause in inner.SelectMany(Causes))
            yield return cause;
        if (error is not BrokerUnreachableException)
            yield return error;
    }

    private static Exception Innermost(Exception error)
    {
        while (error.InnerException is { } inner)
            error = inner;
        return error;
    }
}
