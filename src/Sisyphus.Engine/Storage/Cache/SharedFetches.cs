namespace Sisyphus.Engine.Storage.Cache;

/// <summary>Lets callers that want the same thing at the same time wait for one piece of work. It is canceled when nobody waits for it any more, and has ended when the last one leaves.</summary>
internal sealed class SharedFetches
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, Shared> _running = [];

    /// <param name="work">Runs unless the same is running. Its lease lasts until the last caller has taken one of his own.</param>
    /// <param name="take">The caller's own lease.</param>
    public async Task<CacheLease?> RunAsync(string name, Func<CancellationToken, Task<CacheLease?>> work, Func<CacheLease?> take, CancellationToken cancellationToken)
    {
        Shared shared;
        lock (_gate)
        {
            if (!_running.TryGetValue(name, out shared!))
            {
                var canceled = new CancellationTokenSource();
                _running.Add(name, shared = new Shared(canceled, Task.Run(() => work(canceled.Token), CancellationToken.None)));
            }
            shared.Waiting++;
        }
        try
        {
            await shared.Work.WaitAsync(cancellationToken).ConfigureAwait(false);
            return take();
        }
        finally
        {
            await LeaveAsync(name, shared).ConfigureAwait(false);
        }
    }

    private async Task LeaveAsync(string name, Shared shared)
    {
        lock (_gate)
        {
            // Whoever comes from here on, after it has ended, begins anew.
            if (--shared.Waiting > 0 && !shared.Work.IsCompleted)
                return;
            if (_running.GetValueOrDefault(name) == shared)
                _running.Remove(name);
            if (shared.Waiting > 0)
                return;
        }
        await shared.Canceled.CancelAsync().ConfigureAwait(false);
        await ((Task)shared.Work).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (shared.Work.IsCompletedSuccessfully)
            (await shared.Work.ConfigureAwait(false))?.Dispose();
        shared.Canceled.Dispose();
    }

    private sealed class Shared(CancellationTokenSource canceled, Task<CacheLease?> work)
    {
        public CancellationTokenSource Canceled => canceled;
        public Task<CacheLease?> Work => work;
        public int Waiting { get; set; }
    }
}
