using System.Runtime.CompilerServices;
using System.Threading.Channels;
using Sisyphus.Engine.Execution;
using Sisyphus.Engine.Queues.RabbitMq.Messages;

namespace Sisyphus.Engine.Queues.RabbitMq.Events;

/// <summary>Reads the events stream for somebody who watches, over losses of the connection.</summary>
internal sealed class EventLog(BrokerParts parts)
{
    /// <summary>In a row, for who does not follow: he waits for an answer.</summary>
    private const int MostFailures = 5;
    /// <summary>After which the reading begins anew from where it is: the broker does not tell that a stream was deleted.</summary>
    private static readonly TimeSpan s_longestSilence = TimeSpan.FromMinutes(1);
    /// <summary>The same, where a marker was written.</summary>
    private static readonly TimeSpan s_markedSilence = TimeSpan.FromSeconds(5);

    /// <param name="after">As <see cref="EventQuery.After"/>.</param>
    /// <param name="follow">Over any outage, as long as the caller waits.</param>
    /// <exception cref="QueueException">The broker was not to be had several times in a row, or delivered nothing of what was just written.</exception>
    public async IAsyncEnumerable<(long Sequence, LogEntry Entry)> ReadAsync(long? after, bool follow, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var last = after ?? 0;
        object from = after switch { null => EventStream.Next, 0 => EventStream.First, _ => StreamMessage.OffsetOf(after.Value) };
        // Read again where the reading goes on: another stream of the name may have grown beyond that place.
        StreamMessage? seen = null;
        var failures = 0;
        // Of another stream of the name nothing would come up to the place where the old one ended.
        var isSilent = false;
        for (var isAgain = false; ; isAgain = true)
        {
            // Known by it that all is read that was there; and where it comes in a place that was read before, that this is another stream of the name.
            var end = Guid.NewGuid().ToString("N");
            var isMarked = !follow || isAgain;
            var isOther = false;
            // The same, of a broker that takes no marker for now: then it tells which message is the last.
            long? stop = null;
            async Task MarkAsync()
            {
                if (isMarked && !await TryMarkAsync(end, cancellationToken).ConfigureAwait(false) && !follow)
                    stop = await Stream.FindEndAsync(cancellationToken).ConfigureAwait(false) ?? -1;
            }

            using var over = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            var reader = Stream.ReadAsync(isSilent ? EventStream.First : from, MarkAsync, over.Token).GetAsyncEnumerator(over.Token);
            await using (reader.ConfigureAwait(false))
            {
                isSilent = isMarked;
                over.CancelAfter(isMarked ? s_markedSilence : s_longestSilence);
                while (!isOther && await MoveNextAsync(reader, () => ++failures <= MostFailures || follow, cancellationToken).ConfigureAwait(false))
                {
                    failures = 0;
                    isSilent = false;
                    over.CancelAfter(Timeout.InfiniteTimeSpan);
                    var message = reader.Current;
                    isOther = seen is { } before && before.Offset == message.Offset && before.Fingerprint != message.Fingerprint;
                    for (var i = 0; !isOther && i < message.Entries.Length; i++)
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
                    if (message.Offset >= stop)
                        yield break;
                    // A chunk is delivered whole, also what lies before the place that was asked for.
                    if (seen is not { } furthest || message.Offset > furthest.Offset)
                        (from, seen) = (message.Offset, message);
                    over.CancelAfter(s_longestSilence);
                }
            }
            if (isSilent && over.IsCancellationRequested)
            {
                if (stop is not null)
                    yield break;
                // The marker may be what is missing, or the member of the cluster that we are connected to has no copy that runs.
                if (++failures > MostFailures && !follow)
                    throw parts.Calls.Failure(QueueFailure.Unavailable, $"{parts.Names.Events} delivers nothing.");
                parts.Writer.Renew(parts.Names.Events, s_markedSilence);
                if (failures > 1)
                    parts.Reading.Cut();
            }
            if (isOther)
                (last, from, seen) = (0, EventStream.First, null);
            else
                await Task.Delay(RetryBackoff.After(Math.Max(1, failures), Random.Shared.NextDouble()), parts.Time, cancellationToken).ConfigureAwait(false);
        }
    }

    private EventStream Stream => new(parts.Reading, parts.Calls, parts.Names.Events);

    /// <returns>False when the broker takes nothing for now.</returns>
    private async Task<bool> TryMarkAsync(string mark, CancellationToken cancellationToken)
    {
        try
        {
            await parts.Writer.WriteMarkerAsync(parts.Names.Events, new LogEntry { Kind = LogEntryKind.Marker, Time = parts.Now, Mark = mark }, cancellationToken).ConfigureAwait(false);
            return true;
        }
        catch (QueueException error) when (error.Failure == QueueFailure.Full)
        {
            return false;
        }
    }

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
