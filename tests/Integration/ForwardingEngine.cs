using Sisyphus.Engine.Containers;

namespace Sisyphus.Tests.Integration;

/// <summary>The fixture's engine, which outlives it, for tests that change one thing about it.</summary>
internal abstract class ForwardingEngine(IContainerEngine engine) : IContainerEngine
{
    public string Endpoint => engine.Endpoint;

    public virtual bool SeesLocalFiles => engine.SeesLocalFiles;

    public Task<EngineInfo> GetInfoAsync(CancellationToken cancellationToken) => engine.GetInfoAsync(cancellationToken);

    public Task<ImageInfo?> FindImageAsync(string reference, CancellationToken cancellationToken) => engine.FindImageAsync(reference, cancellationToken);

    public Task<ImageInfo> EnsureImageAsync(string reference, PullPolicy policy, IProgress<PullProgress>? progress, CancellationToken cancellationToken) =>
        engine.EnsureImageAsync(reference, policy, progress, cancellationToken);

    public Task<INetworkSandbox> CreateSandboxAsync(IReadOnlyDictionary<string, string> labels, bool allowMetadata, CancellationToken cancellationToken) =>
        engine.CreateSandboxAsync(labels, allowMetadata, cancellationToken);

    public virtual Task<IContainer> CreateContainerAsync(ContainerSpec spec, CancellationToken cancellationToken) => engine.CreateContainerAsync(spec, cancellationToken);

    public Task<int> SweepAsync(IReadOnlyDictionary<string, string> labels, CancellationToken cancellationToken) => engine.SweepAsync(labels, cancellationToken);

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
