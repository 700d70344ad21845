namespace Sisyphus.Engine.Containers.Docker;

internal sealed class NetworkSandbox(EngineCalls calls, string containerId) : INetworkSandbox
{
    private int _disposed;
    private volatile bool _usable = true;

    public string ContainerId { get; } = containerId;

    public bool Usable { get => _usable; set => _usable = value; }

    /// <summary>The engine's sentence says that this container, which another was to join, does not run.</summary>
    public bool IsMissing(string sentence) =>
        sentence.Contains("cannot join network", StringComparison.OrdinalIgnoreCase)
        || sentence.Contains("No such container: " + ContainerId, StringComparison.OrdinalIgnoreCase)
        || sentence.Contains("joining network namespace of container", StringComparison.OrdinalIgnoreCase)
        || (sentence.Contains(ContainerId, StringComparison.Ordinal) && sentence.Contains("not running", StringComparison.OrdinalIgnoreCase));

    public async ValueTask DisposeAsync()
    {
        Usable = false;
        if (Interlocked.Exchange(ref _disposed, 1) == 0)
            await ContainerRemoval.RemoveAsync(calls, ContainerId).ConfigureAwait(false);
    }
}
