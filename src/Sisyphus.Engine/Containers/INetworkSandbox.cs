namespace Sisyphus.Engine.Containers;

/// <summary>A network namespace kept by a waiting container. Disposing removes it.</summary>
public interface INetworkSandbox : IAsyncDisposable
{
    string ContainerId { get; }
}
