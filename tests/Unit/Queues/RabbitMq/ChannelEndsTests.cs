using System.Diagnostics;
using System.Reflection;
using RabbitMQ.Client;
using Sisyphus.Engine.Queues.RabbitMq.Connections;
using Xunit;

namespace Sisyphus.Tests.Unit.Queues.RabbitMq;

/// <summary>A connection that is lost between the broker's closing of a channel and our answer can't be had at will, so the channel is a fake.</summary>
public sealed class ChannelEndsTests
{
    [Fact]
    public async Task EndAsync_ClientThrows_DoesNot()
    {
        var channel = Faulty(() => Task.FromException(new TimeoutException()));
        await channel.EndAsync();
        await using (channel.Ending())
        {
        }
    }

    [Fact]
    public async Task EndAsync_ClientNeverEnds_DoesAllTheSame()
    {
        var since = Stopwatch.GetTimestamp();
        await Faulty(() => Task.Delay(Timeout.Infinite, TestContext.Current.CancellationToken)).EndAsync();
        Assert.InRange(Stopwatch.GetElapsedTime(since).TotalSeconds, 5, 20);
    }

    private static IChannel Faulty(Func<Task> dispose)
    {
        var channel = DispatchProxy.Create<IChannel, FaultyChannel>();
        ((FaultyChannel)channel).Dispose = dispose;
        return channel;
    }

    // Public and open, as the proxy has to be.
    public class FaultyChannel : DispatchProxy
    {
        public Func<Task>? Dispose { get; set; }

        protected override object? Invoke(MethodInfo? targetMethod, object?[]? args) =>
            targetMethod?.Name == nameof(IAsyncDisposable.DisposeAsync) ? new ValueTask(Dispose!()) : throw new NotSupportedException(targetMethod?.Name);
    }
}
