using System.Collections.Immutable;

namespace Sisyphus.Engine.Containers.Docker;

/// <summary>Callers that want the same image at the same time share one pull. It ends early when the last of them has gone.</summary>
internal sealed class SharedPulls(Func<string, IProgress<PullProgress>, CancellationToken, Task> pull)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, SharedPull> _running = [];

    public async Task PullAsync(string reference, IProgress<PullProgress>? progress, CancellationToken cancellationToken)
    {
        SharedPull? shared;
        lock (_lock)
        {
            if (!_running.TryGetValue(reference, out shared))
            {
                _running.Add(reference, shared = new());
                shared.Work = RunAsync(reference, shared);
            }
            shared.Waiting++;
            if (progress is not null)
                shared.Listeners = shared.Listeners.Add(progress);
        }
        try
        {
            await shared.Work.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            await LeaveAsync(reference, shared, progress).ConfigureAwait(false);
        }
    }

    private async Task RunAsync(string reference, SharedPull shared)
    {
        await Task.Yield();
        try
        {
            await pull(reference, shared, shared.Abandoned.Token).ConfigureAwait(false);
        }
        finally
        {
            lock (_lock)
                Forget(reference, shared);
        }
    }

    private async Task LeaveAsync(string reference, SharedPull shared, IProgress<PullProgress>? progress)
    {
        bool last;
        lock (_lock)
        {
            if (progress is not null)
                shared.Listeners = shared.Listeners.Remove(progress);
            last = --shared.Waiting == 0;
            // Nobody may join a pull that is being given up.
            if (last)
                Forget(reference, shared);
        }
        if (!last)
            return;
        await shared.Abandoned.CancelAsync().ConfigureAwait(false);
        await shared.Work.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        shared.Abandoned.Dispose();
    }

    private void Forget(string reference, SharedPull shared)
    {
        if (_running.TryGetValue(reference, out var current) && ReferenceEquals(current, shared))
            _running.Remove(reference);
    }

    private sealed class SharedPull : IProgress<PullProgress>
    {
        public CancellationTokenSource Abandoned { get; } = new();
        public ImmutableList<IProgress<PullProgress>> Listeners { get; set; } = [];
        public Task Work { get; set; } = Task.CompletedTask;
        public int Waiting { get; set; }

        public void Report(PullProgress value)
        {
            foreach (var listener in Listeners)
                listener.Report(value);
        }
    }
}
