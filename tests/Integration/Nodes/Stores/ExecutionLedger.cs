using System.Collections.Concurrent;

using Docker.DotNet;
using Docker.DotNet.Models;

namespace Sisyphus.Tests.Integration.Nodes.Stores;

/// <summary>How often tasks were really run, whoever says what: the starts of their containers, as the engine tells them.</summary>
internal sealed class ExecutionLedger : IAsyncDisposable, IProgress<Message>
{
    private readonly ConcurrentQueue<string> _started = [];
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _listening;

    public ExecutionLedger(DockerClient engine)
    {
        // From a little before, so that nothing is missed while the engine is asked.
        var since = DateTimeOffset.UtcNow.AddSeconds(-1).ToUnixTimeSeconds().ToString(System.Globalization.CultureInfo.InvariantCulture);
        var filters = new Dictionary<string, IDictionary<string, bool>>
        {
            ["type"] = new Dictionary<string, bool> { ["container"] = true },
            ["event"] = new Dictionary<string, bool> { ["start"] = true },
            ["label"] = new Dictionary<string, bool> { ["sisyphus.task"] = true },
        };
        _listening = engine.System.MonitorEventsAsync(new ContainerEventsParameters { Since = since, Filters = filters }, this, _stop.Token);
    }

    public int Count(string taskId) => _started.Count(id => id == taskId);

    public void Report(Message value) => _started.Enqueue(value.Actor.Attributes["sisyphus.task"]);

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _listening.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _stop.Dispose();
    }
}
