using System.Diagnostics.CodeAnalysis;

namespace Sisyphus.Engine.Storage.Transfers;

/// <summary>Shares out connections among everything that moves data in a process: the tasks of a node, or the objects of a copy. First come, first served, so that small objects pass between the pieces of a large one.</summary>
[SuppressMessage("Design", "CA1001", Justification = "A SemaphoreSlim holds nothing to free as long as nobody asks for its wait handle.")]
public sealed class TransferScheduler
{
    private readonly SemaphoreSlim _connections;

    /// <exception cref="ArgumentException">An option is out of its range.</exception>
    public TransferScheduler(TransferOptions options, TimeProvider? time = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        (Options, Time) = (options, time ?? TimeProvider.System);
        _connections = new SemaphoreSlim(options.Concurrency);
        Memory = new TransferMemory(options.Memory);
        Retry = new Retry(options, Time);
    }

    public TransferOptions Options { get; }

    internal TimeProvider Time { get; }

    /// <summary>Where pieces of uploads wait.</summary>
    internal TransferMemory Memory { get; }

    internal Retry Retry { get; }

    internal ParallelOptions Parallelism(CancellationToken cancellationToken) => new() { MaxDegreeOfParallelism = Options.Concurrency, CancellationToken = cancellationToken };

    /// <summary>Moves data over one connection. Who holds one must not wait for another.</summary>
    internal async Task<T> MoveAsync<T>(Func<Task<T>> work, CancellationToken cancellationToken)
    {
        await _connections.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            return await work().ConfigureAwait(false);
        }
        finally
        {
            _connections.Release();
        }
    }
}
