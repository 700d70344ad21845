using Sisyphus.Engine.Containers;

namespace Sisyphus.Engine.Execution;

/// <summary>Holds a task to its disk limit while a command runs. Some storage drivers can enforce one themselves; most can't, so its use is measured.</summary>
internal sealed class DiskWatch(AttemptContext attempt, IContainer container, long inputBytes)
{
    private static readonly TimeSpan s_shortest = TimeSpan.FromSeconds(1);

    /// <summary>Ends when the limit is exceeded; without a limit it never does.</summary>
    public async Task WatchAsync(CancellationToken cancellationToken)
    {
        if (attempt.Document.Resources.Disk is not { } limit)
        {
            await Task.Delay(Timeout.InfiniteTimeSpan, attempt.Time, cancellationToken).ConfigureAwait(false);
            return;
        }

        var pause = s_shortest;
        do
        {
            await Task.Delay(pause, attempt.Time, cancellationToken).ConfigureAwait(false);
            var before = attempt.Time.GetTimestamp();
            var used = inputBytes + attempt.Workspace.Size() + (await container.GetLayerSizeAsync(cancellationToken).ConfigureAwait(false) ?? 0);
            if (used > limit)
                return;
            // The engine walks every file of the layer; a twentieth of the time is what knowing may cost.
            var spent = attempt.Time.GetElapsedTime(before) * 20;
            pause = spent > s_shortest ? spent : s_shortest;
        }
        while (true);
    }
}
