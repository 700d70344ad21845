using Sisyphus.Engine.Containers;

namespace Sisyphus.Tests.Integration.Execution;

/// <summary>The real engine as one on another machine looks: it can't mount this machine's files.</summary>
internal sealed class EngineElsewhere(IContainerEngine engine) : ForwardingEngine(engine)
{
    public override bool SeesLocalFiles => false;

    public override Task<IContainer> CreateContainerAsync(ContainerSpec spec, CancellationToken cancellationToken) =>
        spec.Mounts.Count == 0 ? base.CreateContainerAsync(spec, cancellationToken) : throw new InvalidOperationException("That file is not on this machine.");
}
