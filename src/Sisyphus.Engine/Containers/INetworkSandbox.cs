namespace Sisyphus.Engine.Containers;

/// <summary>A network namespace kept by a waiting container. Disposing removes it.</summary>
public interface INetworkSandbox : IAsyncDisposable
{
    string ContainerId { get; }

    /// <summary>False once a container could not join it, because it was stopped or removed from outside: dispose it and make another.</summary>
    bool Usable { get; }
}
