using Docker.DotNet.Models;

using Sisyphus.Engine.Tasks;

namespace Sisyphus.Engine.Containers.Docker;

/// <summary>Looks at a container's memory now and then while a command runs. A short command costs nothing: the first look comes after a while, the next ones ever later.</summary>
internal sealed class MemorySampler : IAsyncDisposable
{
    private static readonly TimeSpan First = TimeSpan.FromMilliseconds(300);
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(10);

    private readonly CancellationTokenSource _stop = new();
    private readonly EngineCalls _calls;
    private readonly string _containerId;
    private readonly Action<long> _seen;
    private readonly Task _work;

    public MemorySampler(EngineCalls calls, string containerId, Action<long> seen)
    {
        (_calls, _containerId, _seen) = (calls, containerId, seen);
        _work = RunAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        await _work.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _stop.Dispose();
    }

    private async Task RunAsync()
    {
        for (var pause = First; ; pause = pause * 2 > Longest ? Longest : pause * 2)
        {
            await Task.Delay(pause, _stop.Token).ConfigureAwait(false);
            try
            {
                await _calls.CallAsync("read the memory use", Limit, (client, token) => client.Containers.GetContainerStatsAsync(
                    _containerId, new ContainerStatsParameters { Stream = false, OneShot = true }, new Immediate<ContainerStatsResponse>(Look), token), _stop.Token).ConfigureAwait(false);
            }
            catch (TaskFailureException)
            {
                // A figure for the record is no reason to disturb a task.
            }
        }
    }

    private void Look(ContainerStatsResponse stats)
    {
        if (Memory(stats.MemoryStats) is { } memory)
            _seen(memory);
    }

    /// <summary>cgroup v1 knows its own peak; v2's present use is taken without the file cache, which the kernel gives back when asked.</summary>
    internal static long? Memory(MemoryStats? memory)
    {
        if (memory?.MaxUsage is { } peak and > 0)
            return (long)peak;
        if (memory?.Usage is not { } used || used == 0)
            return null;
        var cache = memory.Stats is { } details && details.TryGetValue("inactive_file", out var inactive) ? inactive : 0;
        return (long)(used - Math.Min(cache, used));
    }
}
