using System.Runtime.CompilerServices;
using Sisyphus.Engine.Execution;
using Sisyphus.Engine.Queues.RabbitMq.Messages;

namespace Sisyphus.Engine.Queues.RabbitMq;

/// <summary>Reads what tasks write, over losses of the connection.</summary>
internal sealed class OutputReader(BrokerParts parts, string[] taskIds)
{
    private const int MostFailures = 5;
    private static readonly TimeSpan s_look = TimeSpan.FromMilliseconds(200);
    /// <summary>How long the last lines of a task that has ended may still be on their way.</summary>
    private static readonly TimeSpan s_grace = TimeSpan.FromSeconds(1);

    private readonly OutputGaps _gaps = new();
    /// <summary>In which claim of a task its last line came.</summary>
    private readonly Dictionary<string, long?> _lasts = [];
    private readonly Dictionary<string, long> _ends = [];
    private OutputInbox? _inbox;
    private int _failures;
    private long? _wished;

    public async IAsyncEnumerable<OutputLine> ReadAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await parts.Feed.CatchUpAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            while (true)
            {
                var areOver = taskIds.All(IsOver);
                await TryListenAsync(cancellationToken).ConfigureAwait(false);
                while (_inbox is { } inbox && inbox.Batches.TryRead(out var batch))
                {
                    _lasts[batch.Task] = batch.IsLast ? parts.Board.Find(batch.Task)?.Claims : null;
                    foreach (var line in _gaps.Read(batch))
                        yield return line;
                    // Whoever takes his time with a line still reads.
                    if (IsTimeToWish)
                        await TryListenAsync(cancellationToken).ConfigureAwait(false);
                }
                if (areOver)
                    yield break;
                if (_inbox is not null)
                    await WaitAsync(_inbox, cancellationToken).ConfigureAwait(false);
            }
        }
        finally
        {
            await DropAsync().ConfigureAwait(false);
        }
    }

    private bool IsTimeToWish => _wished is null || parts.Time.GetElapsedTime(_wished.Value) >= OutputWish.RenewAfter;

    /// <summary>Nothing more can come of it.</summary>
    private bool IsOver(string id)
    {
        var task = parts.Board.Find(id);
        if (task is { Summary.HasEnded: false })
        {
            _ends.Remove(id);
            return false;
        }
        var now = parts.Time.GetTimestamp();
        _ends.TryAdd(id, now);
        return (task is not null && _lasts.GetValueOrDefault(id) == task.Claims) || parts.Time.GetElapsedTime(_ends[id], now) >= s_grace;
    }

    /// <summary>First the queue, then the wish: so no line is missed that it brings forth.</summary>
    private async Task TryListenAsync(CancellationToken cancellationToken)
    {
        try
        {
            if (_inbox?.Batches.Completion.IsCompleted != false)
            {
                await DropAsync().ConfigureAwait(false);
                await parts.Topology.EnsureLogAsync(await parts.Reading.ConnectAsync(cancellationToken).ConfigureAwait(false), cancellationToken).ConfigureAwait(false);
                _inbox = await OutputInbox.OpenAsync(parts, taskIds, cancellationToken).ConfigureAwait(false);
            }
            if (!IsTimeToWish)
                return;
            await parts.Writer.WriteAsync(new LogEntry { Kind = LogEntryKind.OutputWish, Time = parts.Now, Tasks = taskIds }, cancellationToken).ConfigureAwait(false);
            _wished = parts.Time.GetTimestamp();
            _failures = 0;
        }
        catch (QueueException error) when (error.Failure == QueueFailure.Unavailable && ++_failures <= MostFailures)
        {
            await Task.Delay(RetryBackoff.After(_failures, Random.Shared.NextDouble()) / 4, parts.Time, cancellationToken).ConfigureAwait(false);
        }
    }

    private static async Task WaitAsync(OutputInbox inbox, CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(s_look);
        await ((Task)inbox.Batches.WaitToReadAsync(limit.Token).AsTask()).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        cancellationToken.ThrowIfCancellationRequested();
    }

    private async Task DropAsync()
    {
        if (_inbox is not { } inbox)
            return;
        _inbox = null;
        await inbox.DisposeAsync().ConfigureAwait(false);
    }
}
