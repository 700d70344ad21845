using Sisyphus.Engine.Containers.Docker;
using Sisyphus.Engine.Nodes;
using Sisyphus.Engine.Queues;

namespace Sisyphus.PowerShell.Running;

/// <summary>A node with the queue and the container engine that it works with; they go together.</summary>
internal sealed class NodeHost(ITaskQueue queue, DockerContainerEngine engine, Node node) : IAsyncDisposable
{
    public Node Node => node;

    public async ValueTask DisposeAsync()
    {
        await node.DisposeAsync().ConfigureAwait(false);
        await engine.DisposeAsync().ConfigureAwait(false);
        await queue.DisposeAsync().ConfigureAwait(false);
    }
}
