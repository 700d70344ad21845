using System.Runtime.CompilerServices;
using System.Threading.Channels;
using Sisyphus.Engine.Execution;

namespace Sisyphus.Engine.Queues.RabbitMq;

/// <summary>Reads the events stream for somebody who watches, over losses of the connection.</summary>
internal sealed class EventLog(BrokerParts parts)
{
    private const int MostFailures = 5;
    /// <summary>After which the reading begins anew from where it is: the broker does not tell that a stream was deleted.</summary>
    private static readonly TimeSpan s_longestSilence = TimeSpan.FromMinutes(1);
    /// <summary>The same, where a marker was written.</summary>
    private static readonly TimeSpan s_markedSilence = TimeSpan.FromSeconds(5);

    /// <param name="after">As <see cref="EventQuery.After"/>.</param>
    /// <exception cref="QueueException">The broker was not to be had several times in a row.</exception>
    public async IAsyncEnumerable<(long Sequence, LogEntry Entry)> ReadAsync(long? after, bool follow, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var last = after ?? 0;
        object from = after switch { null => EventStream.Next, 0 => EventStream.First, _ => StreamMessage.OffsetOf(after.Value) };
        var failures = 0;
        // Of another stream of the name nothing would come up to the place where the old one ended.
        var isSilent = false;
        for (var isAgain = false; ; isAgain = true)
        {
            // Known by it that all is read that was there; and where it comes in a place that was read before, that this is another stream of the name.
            var end = Guid.NewGuid().ToString("N");
            var isMarked = !follow || isAgain;
            var isOther = false;
            using var over = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            var reader = new EventStream(parts.Reading, parts.Calls, parts.Names.Events).ReadAsync(isSilent ? EventStream.First : from, () => isMarked ? MarkAsync(end, cancellationToken) : Task.CompletedTask, over.Token).GetAsyncEnumerator(over.Token);
            await using (reader.ConfigureAwait(false))
            {
                isSilent = isMarked;
                over.CancelAfter(isMarked ? s_markedSilence : s_longestSilence);
                while (!isOther && await MoveNextAsync(reader, () => ++failures <= MostFailures, cancellationToken).ConfigureAwait(false))
                {
                    failures = 0;
                    isSilent = false;
                    over.CancelAfter(Timeout.InfiniteTimeSpan);
                    var message = reader.Current;
                    for (var i = 0; i < message.Entries.Length; i++)
                    {
                        var sequence = message.Sequence(i);
                        isOther |= sequence <= last && message.Entries[i].Mark == end;
                        if (sequence <= last)
                            continue;
                        last = sequence;
                        if (!follow && message.Entries[i].Mark == end)
                            yield break;
                        yield return (sequence, message.Entries[i]);
                    }
                    from = message.Offset + 1;
                    over.CancelAfter(s_longestSilence);
                }
            }
            if (isOther)
                (last, from) = (0, EventStream.First);
            else
                await Task.Delay(RetryBackoff.After(Math.Max(1, failures), Random.Shared.NextDouble()), parts.Time, cancellationToken).ConfigureAwait(false);
        }
    }

    private Task MarkAsync(string mark, CancellationToken cancellationToken) =>
        parts.Writer.WriteMarkerAsync(parts.Names.Events, new LogEntry { Kind = LogEntryKind.Marker, Time = parts.Now, Mark = mark }, cancellationToken);

    /// <returns>False when the connection is lost and another try is allowed.</returns>
    private static async Task<bool> MoveNextAsync(IAsyncEnumerator<StreamMessage> reader, Func<bool> mayTryAgain, CancellationToken cancellationToken)
    {
        try
        {
            return await reader.MoveNextAsync().ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return false;
        }
        catch (Exception error) when (error is QueueException { Failure: QueueFailure.Unavailable } or ChannelClosedException && !cancellationToken.IsCancellationRequested && mayTryAgain())
        {
            return false;
        }
    }
}
