using RabbitMQ.Client;

namespace Sisyphus.Engine.Queues.RabbitMq.Connections;

/// <summary>The one way in which channels end.</summary>
/// <remarks>
/// The client's own throws where the broker closed the channel and the connection was lost before the answer to that was written, or its
/// handling took more than five seconds: an error that says nothing about what the channel was for, and comes in the place of the one that does.
/// </remarks>
internal static class ChannelEnds
{
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(10);

    /// <summary>Closes the channel and frees it. Never throws, and takes ten seconds at most: a broker that does not answer ends it with the connection.</summary>
    public static Task EndAsync(this IChannel channel) => Suppressed(channel.DisposeAsync().AsTask().WaitAsync(s_limit));

    /// <summary>The same, for <c>await using</c>.</summary>
    public static IAsyncDisposable Ending(this IChannel channel) => new End(channel);

    private static async Task Suppressed(Task ending) => await ending.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);

    private sealed class End(IChannel channel) : IAsyncDisposable
    {
        public async ValueTask DisposeAsync() => await channel.EndAsync().ConfigureAwait(false);
    }
}
