using System.Runtime.CompilerServices;

namespace Sisyphus.Engine.Queues.Sqlite;

/// <summary>Reads what tasks write.</summary>
internal sealed class OutputReader(SqliteTaskQueue queue, string[] taskIds)
{
    private const int PageSize = 16;
    private static readonly TimeSpan s_leaveLimit = TimeSpan.FromSeconds(2);

    private readonly long _reader = Random.Shared.NextInt64(1, long.MaxValue);

    private QueueFile File => queue.File;

    public async IAsyncEnumerable<OutputLine> ReadAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var ids = Columns.Json(taskIds);
        var gaps = new OutputGaps();
        var after = await WishAsync(cancellationToken).ConfigureAwait(false);
        var wished = queue.Clock.Monotonic;
        try
        {
            while (true)
            {
                if (queue.Clock.Monotonic - wished >= OutputWish.RenewAfter.TotalMilliseconds)
                {
                    await WishAsync(cancellationToken).ConfigureAwait(false);
                    wished = queue.Clock.Monotonic;
                }
                var written = File.Signals.Next(Topics.Output);
                // One look: the last lines of a task are there before its end is.
                var (page, areOver) = await File.ReadAsync(connection => (Outputs.Read(connection, ids, after, PageSize), Outputs.AreOver(connection, ids)), cancellationToken).ConfigureAwait(false);
                foreach (var (sequence, batch) in page)
                {
                    after = sequence;
                    foreach (var line in batch is null ? [] : gaps.Read(batch))
                        yield return line;
                }
                if (page.Count == PageSize)
                    continue;
                if (areOver)
                    yield break;
                await queue.Upkeep.RunForReaderAsync(cancellationToken).ConfigureAwait(false);
                await queue.WaitAsync(written, null, cancellationToken).ConfigureAwait(false);
            }
        }
        finally
        {
            await LeaveAsync().ConfigureAwait(false);
        }
    }

    /// <returns>The last line that was there before.</returns>
    private Task<long> WishAsync(CancellationToken cancellationToken) => File.WriteAsync(
        connection =>
        {
            Outputs.Wish(connection, taskIds, _reader, queue.Clock.Monotonic);
            return Outputs.Last(connection);
        },
        cancellationToken);

    private async Task LeaveAsync()
    {
        using var limit = new CancellationTokenSource(s_leaveLimit);
        try
        {
            await File.WriteAsync(
                connection =>
                {
                    Outputs.Leave(connection, taskIds, _reader, queue.Clock.Monotonic);
                    return true;
                },
                limit.Token).ConfigureAwait(false);
        }
        catch (Exception error) when (error is QueueException or OperationCanceledException or ObjectDisposedException)
        {
            // It lapses by itself.
        }
    }
}
