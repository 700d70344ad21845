using Docker.DotNet.Models;

namespace Sisyphus.Engine.Containers.Docker;

/// <summary>The engine's messages about a pull or an import.</summary>
// Not Progress<T>: that one reports later and on another thread.
internal sealed class EngineMessages(Action<PullProgress>? report) : IProgress<JSONMessage>
{
    private readonly PullMeter _meter = new();

    /// <summary>The first one: errors come within a stream that has begun well.</summary>
    public string? Error { get; private set; }

    public void Report(JSONMessage value)
    {
        Error ??= value.Error?.Message;
        report?.Invoke(_meter.Add(value));
    }
}
