using System.Collections.Concurrent;

using Sisyphus.Engine.Containers;

namespace Sisyphus.Tests.Integration.Containers;

/// <summary>Keeps what a pull reports.</summary>
internal sealed class RecordedProgress : IProgress<PullProgress>
{
    public ConcurrentQueue<PullProgress> Seen { get; } = [];

    public void Report(PullProgress value) => Seen.Enqueue(value);
}
