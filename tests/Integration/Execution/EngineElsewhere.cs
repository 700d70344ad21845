using Sisyphus.Engine.Containers;

namespace Sisyphus.Tests.Integration.Execution;

/// <summary>The real engine as one on another machine looks: it can't mount this machine's files.</summary>
internal sealed class EngineElsewhere(IContainerEngine engine) : IContainerEngine
{
    public string Endpoint => engine.Endpoint;
    public bool SeesLocalFiles => false;

    public Task<EngineInfo> GetInfoAsync(CancellationToken cancellationToken) => engine.GetInfoAsync(cancellationToken);

    public Task<ImageInfo?> FindImageAsync(string reference, CancellationToken cancellationToken) => engine.FindImageAsync(reference, cancellationToken);

    public Task<ImageInfo> EnsureImageAsync(string reference, PullPolicy policy, IProgress<PullProgress>? progress, CancellationToken cancellationToken) =>
        engine.EnsureImageAsync(reference, policy, progress, cancellationToken);

    public Task<INetworkSandbox> CreateSandboxAsync(IReadOnlyDictionary<string, string> labels, bool allowMetadata, CancellationToken cancellationToken) =>
        engine.CreateSandboxAsync(labels, allowMetadata, cancellationToken);

    public Task<IContainer> CreateContainerAsync(ContainerSpec spec, CancellationToken cancellationToken) =>
        spec.Mounts.Count == 0 ? engine.CreateContainerAsync(spec, cancellationToken) : throw new InvalidOperationException("That file is not on this machine.");

    public Task<int> SweepAsync(IReadOnlyDictionary<string, string> labels, CancellationToken cancellationToken) => engine.SweepAsync(labels, cancellationToken);

    // The fixture's.
    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
