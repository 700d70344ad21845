using System.Globalization;

using Docker.DotNet.Models;

using Sisyphus.Engine.Tasks;

namespace Sisyphus.Engine.Containers.Docker;

/// <summary>Asks whether the kernel killed a process of a container for memory.</summary>
/// <remarks>The engine's flag is about the main process, and set late; its <c>oom</c> events are about every process. Only a command that failed under a memory limit is worth the question, so nobody else pays for it.</remarks>
internal sealed class OutOfMemory(EngineCalls calls, string containerId)
{
    // The event and the exit come to the engine by different ways; measured apart by less than 20 ms.
    private static readonly TimeSpan Late = TimeSpan.FromMilliseconds(300);
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(5);

    private long _seen;

    /// <summary>True when there was such an event since the last one that this method has told of.</summary>
    public async Task<bool> HappenedAsync(CancellationToken cancellationToken)
    {
        var until = (DateTimeOffset.UtcNow + Late).ToUnixTimeMilliseconds() / 1000m;
        var parameters = new ContainerEventsParameters
        {
            Since = "1",
            Until = until.ToString("0.000", CultureInfo.InvariantCulture),
            Filters = new Dictionary<string, IDictionary<string, bool>>
            {
                ["container"] = new Dictionary<string, bool> { [containerId] = true },
                ["event"] = new Dictionary<string, bool> { ["oom"] = true },
            },
        };
        try
        {
            var latest = 0L;
            await calls.CallAsync("list events", Limit, (client, token) =>
                client.System.MonitorEventsAsync(parameters, new Immediate<Message>(message => latest = message.TimeNano ?? 0), token), cancellationToken).ConfigureAwait(false);
            if (latest <= _seen)
                return false;
            _seen = latest;
            return true;
        }
        catch (TaskFailureException)
        {
            // Unknown is not out of memory; the exit code tells its own story.
            return false;
        }
    }
}
