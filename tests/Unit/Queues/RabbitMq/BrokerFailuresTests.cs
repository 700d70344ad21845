using System.Net.Sockets;
using System.Security.Authentication;

using RabbitMQ.Client;
using RabbitMQ.Client.Events;
using RabbitMQ.Client.Exceptions;

using Sisyphus.Engine.Queues;
using Sisyphus.Engine.Queues.RabbitMq.Connections;
using Xunit;

namespace Sisyphus.Tests.Unit.Queues.RabbitMq;

public sealed class BrokerFailuresTests
{
    private static readonly BrokerAddress Address = BrokerAddress.Parse("amqp://me:s3cr3t@h/lab?prefix=p.x");

    [Theory]
    [InlineData(403, "ACCESS_REFUSED - access to queue 'p.x.bus' in vhost 'lab' refused for user 'me'", QueueFailure.Denied, @"'^p\.x[-.]'")]
    [InlineData(403, "ACCESS_REFUSED - access to exchange 'amq.default' in vhost 'lab' refused for user 'me'", QueueFailure.Denied, @"'^p\.x[-.]'")]
    [InlineData(403, "ACCESS_REFUSED - access to queue 'W-queue' in vhost 'lab' refused for user 'me'", QueueFailure.Denied, "has to read and write 'W-queue'")]
    [InlineData(403, "ACCESS_REFUSED - access to queue 'amq.gen-y' in vhost 'lab' refused for user 'me'", QueueFailure.Denied, @"configure, write and read '^amq\.gen-'")]
    [InlineData(404, "NOT_FOUND - no queue 'q' in vhost 'lab'", QueueFailure.Unavailable, "no queue 'q'")]
    [InlineData(405, "RESOURCE_LOCKED - cannot obtain exclusive access to locked queue 'q'", QueueFailure.Unavailable, "locked queue 'q'")]
    [InlineData(406, "PRECONDITION_FAILED - inequivalent arg 'durable' for queue 'q' in vhost 'lab'", QueueFailure.NotAQueue, "prefix=")]
    [InlineData(406, "PRECONDITION_FAILED - delivery acknowledgement on channel 1 timed out. Timeout value used: 60000 ms.", QueueFailure.Unavailable, "limit for deliveries")]
    [InlineData(406, "PRECONDITION_FAILED - stream queue 'q' in vhost '/' does not have a running replica on the local node", QueueFailure.Unavailable, "no copy of it that runs")]
    [InlineData(320, "CONNECTION_FORCED - broker forced connection closure with reason 'shutdown'", QueueFailure.Unavailable, "closed the connection")]
    [InlineData(530, "NOT_ALLOWED - vhost lab not found", QueueFailure.Denied, "no virtual host 'lab'")]
    [InlineData(530, "NOT_ALLOWED - access to vhost 'lab' refused for user 'me'", QueueFailure.Denied, "no access to the virtual host 'lab'")]
    [InlineData(530, "NOT_ALLOWED - access to vhost 'lab' refused for user 'me': connection limit (1) is reached", QueueFailure.Unavailable, "limit is reached")]
    [InlineData(530, "NOT_ALLOWED - vhost 'lab' is down", QueueFailure.Unavailable, "is down")]
    [InlineData(541, "INTERNAL_ERROR", QueueFailure.Unavailable, "broker failed")]
    [InlineData(504, "CHANNEL_ERROR - second 'channel.open' seen", QueueFailure.Unavailable, "channel was closed")]
    [InlineData(506, "RESOURCE_ERROR - disk", QueueFailure.Full, "Make room")]
    [InlineData(0, "End of stream", QueueFailure.Unavailable, "End of stream")]
    public void Translate_ReplyCode_IsExplained(int code, string text, QueueFailure failure, string said)
    {
        var reason = new ShutdownEventArgs(ShutdownInitiator.Peer, (ushort)code, text);
        foreach (var error in new Exception[] { new OperationInterruptedException(reason), new AlreadyClosedException(reason), new BrokerUnreachableException(new OperationInterruptedException(reason)) })
            AssertExplained(error, failure, said);
    }

    [Fact]
    public void Translate_OtherExceptions_AreExplained()
    {
        AssertExplained(new BrokerUnreachableException(new AggregateException(new IOException("x", new SocketException((int)SocketError.ConnectionRefused)))), QueueFailure.Unavailable, "nobody listens there");
        AssertExplained(new BrokerUnreachableException(new AuthenticationFailureException("ACCESS_REFUSED - Login was refused")), QueueFailure.Denied, "no user 'me' with this password");
        AssertExplained(new PossibleAuthenticationFailureException("x", new IOException("y")), QueueFailure.Denied, "no user 'me' with this password");
        AssertExplained(new AuthenticationException("alert"), QueueFailure.Denied, "TLS failed (alert)");
        AssertExplained(new TaskCanceledException(), QueueFailure.Unavailable, "no answer within the time limit");
        AssertExplained(new TimeoutException("no answer within 3 s"), QueueFailure.Unavailable, "no answer within 3 s");
        AssertExplained(new PublishReturnException(7, "x", "", "q", 312, "NO_ROUTE"), QueueFailure.Unavailable, "no queue 'q'");
        AssertExplained(new PublishException(7, isReturn: false), QueueFailure.Full, "refused the message");
        AssertExplained(new OperationInterruptedException(), QueueFailure.Unavailable, "could not send");
        AssertExplained(new ObjectDisposedException("x"), QueueFailure.Unavailable, "could not send");
    }

    [Fact]
    public void Translate_QueueException_StaysWhatItIs()
    {
        var error = new QueueException(QueueFailure.Full, "x");
        Assert.Same(error, BrokerFailures.Translate(error, Address, "send"));
    }

    [Fact]
    public void Blocked_WithReason_IsFull()
    {
        var error = BrokerFailures.Blocked(Address, "send", "low on disk");
        Assert.Equal(QueueFailure.Full, error.Failure);
        Assert.StartsWith("The queue amqp://me@h/lab?prefix=p.x could not send: the broker takes no messages at present (low on disk).", error.Message, StringComparison.Ordinal);
    }

    private static void AssertExplained(Exception error, QueueFailure failure, string said)
    {
        var explained = BrokerFailures.Translate(error, Address, "send");
        Assert.Equal(failure, explained.Failure);
        Assert.StartsWith("The queue amqp://me@h/lab?prefix=p.x could not send: ", explained.Message, StringComparison.Ordinal);
        Assert.Contains(said, explained.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("s3cr3t", explained.Message, StringComparison.Ordinal);
        Assert.Same(error, explained.InnerException);
    }
}
