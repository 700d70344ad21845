using Sisyphus.Engine.Containers;

namespace Sisyphus.Tests.Integration.Nodes;

/// <summary>The real engine, with a hook where a container is made and has yet to start.</summary>
internal sealed class EngineBeforeStart(IContainerEngine engine, Func<Task> happens) : ForwardingEngine(engine)
{
    public override async Task<IContainer> CreateContainerAsync(ContainerSpec spec, CancellationToken cancellationToken)
    {
        var container = await base.CreateContainerAsync(spec, cancellationToken);
        await happens();
        return container;
    }
}
