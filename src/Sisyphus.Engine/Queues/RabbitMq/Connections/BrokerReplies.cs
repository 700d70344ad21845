using System.Net.Sockets;
using System.Text.RegularExpressions;

using RabbitMQ.Client.Events;
using RabbitMQ.Client.Exceptions;

namespace Sisyphus.Engine.Queues.RabbitMq.Connections;

/// <summary>What the broker's reply codes (AMQP 0.9.1, 1.2) and the network's mean here, and what to do.</summary>
internal static partial class BrokerReplies
{
    private const int ConnectionForced = 320;
    private const int AccessRefused = 403;
    private const int NotFound = 404;
    private const int ResourceLocked = 405;
    private const int PreconditionFailed = 406;
    private const int ChannelError = 504;
    private const int ResourceError = 506;
    private const int NotAllowed = 530;
    private const int InternalError = 541;

    public static (QueueFailure Failure, string What, string Advice) Explain(ShutdownEventArgs reason, BrokerAddress address)
    {
        var said = Said(reason);
        var user = address.User ?? "guest";
        return reason.ReplyCode switch
        {
            AccessRefused when IsExclusive(said) => (QueueFailure.Unavailable, $"another connection has it for itself ({said})", "End that one: it is no node of this queue."),
            AccessRefused => (QueueFailure.Denied, $"the user '{user}' may not ({said})", $"In the virtual host '{address.VirtualHost}' the user '{user}' has to {Rights(said, address)}"),
            NotFound => (QueueFailure.Unavailable, $"it is not there ({said})", "Start a node, which declares the queues, or wait until the member of the cluster that has it is back."),
            ResourceLocked => (QueueFailure.Unavailable, $"another connection has it for itself ({said})", "Wait until that one has ended; the broker drops a dead one after about three heartbeats."),
            PreconditionFailed when IsDeliveryTimeout(said) => (QueueFailure.Unavailable, $"the broker's limit for deliveries has passed ({said})", "It is connected again."),
            PreconditionFailed when said.Contains("replica on the local node", StringComparison.OrdinalIgnoreCase) => (QueueFailure.Unavailable, $"this member of the cluster has no copy of it that runs ({said})", "Wait until it has, which takes seconds."),
            PreconditionFailed => (QueueFailure.NotAQueue, $"what is there was declared otherwise ({said})", "Nothing was changed there. Remove it on the broker when it is empty, or use other names with prefix= in the address."),
            NotAllowed when said.Contains("not found", StringComparison.OrdinalIgnoreCase) => (QueueFailure.Denied, $"the broker has no virtual host '{address.VirtualHost}'", "Correct the address, where a virtual host '/' is left out or %2F, or create it with 'rabbitmqctl add_vhost'."),
            NotAllowed when said.Contains("limit", StringComparison.OrdinalIgnoreCase) => (QueueFailure.Unavailable, $"the broker's limit is reached ({said})", "Close connections, or let an administrator raise it."),
            NotAllowed when said.Contains("refused", StringComparison.OrdinalIgnoreCase) => (QueueFailure.Denied, $"the user '{user}' has no access to the virtual host '{address.VirtualHost}'", $"Give it with 'rabbitmqctl set_permissions -p {address.VirtualHost} {user} …'."),
            NotAllowed when said.Contains("down", StringComparison.OrdinalIgnoreCase) => (QueueFailure.Unavailable, $"the virtual host '{address.VirtualHost}' is down ({said})", "Look into the broker's log; 'rabbitmqctl restart_vhost' starts it."),
            NotAllowed => (QueueFailure.Denied, $"the broker does not allow it ({said})", "Look into the broker's log."),
            ConnectionForced => (QueueFailure.Unavailable, $"the broker closed the connection ({said})", "It is being stopped, or an administrator closed it; try again."),
            ResourceError => (QueueFailure.Full, $"the broker is short of something ({said})", "Make room on the broker."),
            InternalError when IsLackOfKind(said) && said.Contains("rabbit_stream_queue", StringComparison.Ordinal) => (QueueFailure.Denied, $"the broker was set up without streams ({said})", "They are needed. An administrator has to enable them: 'rabbitmqctl enable_feature_flag all'."),
            InternalError when IsLackOfKind(said) => (QueueFailure.Denied, $"the broker was set up without quorum queues ({said})", "An administrator has to enable them: 'rabbitmqctl enable_feature_flag all'. Or leave queues=quorum out of the address: then classic queues are used."),
            InternalError => (QueueFailure.Unavailable, $"the broker failed ({said})", "Look into the broker's log, and try again."),
            ChannelError => (QueueFailure.Unavailable, $"the channel was closed already ({said})", "Try again."),
            _ => (QueueFailure.Unavailable, $"the connection was closed ({reason.ReplyCode} {said})", "Try again."),
        };
    }

    public static string OfSocket(SocketException error) => error.SocketErrorCode switch
    {
        SocketError.ConnectionRefused => "nobody listens there",
        SocketError.HostNotFound or SocketError.TryAgain or SocketError.NoData => "its name is not known",
        SocketError.TimedOut => "no answer within the time limit",
        SocketError.HostUnreachable or SocketError.NetworkUnreachable => "there is no way to it from here",
        SocketError.ConnectionReset or SocketError.ConnectionAborted => "the connection was cut",
        _ => error.Message,
    };

    /// <summary>Refused because another consumer has the queue for itself, for which the broker has the same code as for a missing right.</summary>
    public static bool IsInExclusiveUse(Exception? error) =>
        error is OperationInterruptedException { ShutdownReason: { ReplyCode: AccessRefused } reason } && IsExclusive(reason.ReplyText);

    /// <summary>Refused because the broker was set up without such queues, for which it closes the whole connection.</summary>
    public static OperationInterruptedException? LacksKind(Exception? error) =>
        error is OperationInterruptedException { ShutdownReason: { ReplyCode: InternalError } reason } lack && IsLackOfKind(reason.ReplyText) ? lack : null;

    public static bool IsDeliveryTimeout(string said) => said.Contains("delivery acknowledgement on channel", StringComparison.OrdinalIgnoreCase);

    private static bool IsLackOfKind(string? said) => said?.Contains("feature flag is disabled", StringComparison.OrdinalIgnoreCase) == true;

    private static bool IsExclusive(string? said) => said?.Contains("in exclusive use", StringComparison.OrdinalIgnoreCase) == true;

    /// <summary>Those of the queue's own names do not help with what is not among them.</summary>
    private static string Rights(string said, BrokerAddress address)
    {
        var own = $"^{Regex.Escape(address.Prefix)}[-.]";
        return Refused().Match(said).Groups["name"].Value switch
        {
            var name when name.StartsWith("amq.gen-", StringComparison.Ordinal) => "configure, write and read '^amq\\.gen-', through which the output of tasks is read.",
            var name when name is not ("" or "amq.default") && !Regex.IsMatch(name, own) => $"read and write '{name}', and to configure it where it is not declared by an administrator: a workflow's queues are named after it (docs/rabbitmq.md, For administrators).",
            _ => $"read '{own}', to write those and 'amq.default', and to configure them where they are not declared by an administrator (docs/rabbitmq-definitions.json).",
        };
    }

    private static string Said(ShutdownEventArgs reason)
    {
        var said = Code().Replace(reason.ReplyText ?? "", "").Trim();
        return said.Length > 0 ? said : reason.ReplyCode.ToString(System.Globalization.CultureInfo.InvariantCulture);
    }

    [GeneratedRegex(@"access to (queue|exchange) '(?<name>[^']*)'", RegexOptions.CultureInvariant)]
    private static partial Regex Refused();

    // "ACCESS_REFUSED - access to …"
    [GeneratedRegex(@"\A[A-Z_]+ - ", RegexOptions.CultureInvariant)]
    private static partial Regex Code();
}
