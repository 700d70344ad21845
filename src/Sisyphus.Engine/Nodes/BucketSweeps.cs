using System.Threading.Channels;

using Sisyphus.Engine.Execution;
using Sisyphus.Engine.Tasks;

namespace Sisyphus.Engine.Nodes;

/// <summary>Removes, in the background, what attempts staged long ago and never published: in each bucket when the node first sees it, and then daily.</summary>
/// <param name="warn">Told what can't be swept.</param>
internal sealed class BucketSweeps(Workshop workshop, Action<string> warn, TimeProvider time)
{
    private const int MaxBuckets = 1000;
    private static readonly TimeSpan s_interval = TimeSpan.FromDays(1);

    // A place that is dropped is seen again with the next task.
    private readonly Channel<RemotePath> _seen = Channel.CreateBounded<RemotePath>(new BoundedChannelOptions(256) { FullMode = BoundedChannelFullMode.DropWrite });
    private readonly Dictionary<(object Store, string Bucket), (RemotePath Remote, long Swept)> _buckets = [];

    public void See(TaskDocument task)
    {
        foreach (var output in task.Outputs)
            _seen.Writer.TryWrite(output.Remote);
    }

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        try
        {
            while (true)
            {
                using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
                var next = _seen.Reader.WaitToReadAsync(either.Token).AsTask();
                await Task.WhenAny(next, Task.Delay(s_interval / 24, time, either.Token)).ConfigureAwait(false);
                await either.CancelAsync().ConfigureAwait(false);
                await ((Task)next).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                cancellationToken.ThrowIfCancellationRequested();
                while (_seen.Reader.TryRead(out var remote))
                    await SweepAsync(remote, cancellationToken).ConfigureAwait(false);
                foreach (var (remote, _) in _buckets.Values.Where(bucket => time.GetElapsedTime(bucket.Swept) >= s_interval).ToArray())
                    await SweepAsync(remote, cancellationToken).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // The node has ended.
        }
    }

    private async Task SweepAsync(RemotePath remote, CancellationToken cancellationToken)
    {
        try
        {
            var place = workshop.BucketOf(remote);
            if (_buckets.TryGetValue(place, out var known) && time.GetElapsedTime(known.Swept) < s_interval)
                return;
            if (_buckets.Count < MaxBuckets || _buckets.ContainsKey(place))
                _buckets[place] = (remote, time.GetTimestamp());
            await workshop.SweepStagingAsync(remote, warn, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception error) when (!cancellationToken.IsCancellationRequested)
        {
            // Whatever it met: no task depends on it, and the node shall not end for it. Tomorrow again.
            warn($"{remote}: what attempts have left there can't be swept: {error.Message}");
        }
    }
}
