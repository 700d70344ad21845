using Sisyphus.Engine.Containers;
using Sisyphus.Engine.Tasks;

namespace Sisyphus.Engine.Execution;

/// <summary>Room for one task at a time. Keeps a network sandbox for its consecutive tasks: a fresh network namespace per container costs the engine more than everything else together.</summary>
internal sealed class Slot(IContainerEngine engine, NodePolicy policy, IReadOnlyDictionary<string, string> labels) : IAsyncDisposable
{
    private INetworkSandbox? _kept;

    /// <summary>The network that a task of this slot joins; null for loopback only.</summary>
    public async Task<SandboxLease?> JoinAsync(TaskNetwork network, CancellationToken cancellationToken)
    {
        switch (network)
        {
            case TaskNetwork.None:
                return null;
            case TaskNetwork.Own:
                return new SandboxLease(await CreateAsync(cancellationToken).ConfigureAwait(false), isOwned: true);
            default:
                if (_kept is { Usable: false })
                    await ResetAsync().ConfigureAwait(false);
                _kept ??= await CreateAsync(cancellationToken).ConfigureAwait(false);
                return new SandboxLease(_kept, isOwned: false);
        }
    }

    public ValueTask DisposeAsync() => ResetAsync();

    private async ValueTask ResetAsync()
    {
        if (Interlocked.Exchange(ref _kept, null) is { } sandbox)
            await sandbox.DisposeAsync().ConfigureAwait(false);
    }

    private Task<INetworkSandbox> CreateAsync(CancellationToken cancellationToken) =>
        engine.CreateSandboxAsync(labels, policy.AllowMetadata, cancellationToken);
}

/// <summary>Disposing removes the sandbox only if it was made for this task alone.</summary>
internal sealed class SandboxLease(INetworkSandbox sandbox, bool isOwned) : IAsyncDisposable
{
    public INetworkSandbox Sandbox => sandbox;

    public ValueTask DisposeAsync() => isOwned ? sandbox.DisposeAsync() : ValueTask.CompletedTask;
}
