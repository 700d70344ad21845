using System.Collections.Concurrent;
using System.Diagnostics;
using System.Threading.Channels;
using Sisyphus.Engine.Execution;
using Sisyphus.Engine.Queues.RabbitMq.Connections;
using Sisyphus.Engine.Queues.RabbitMq.Messages;

namespace Sisyphus.Engine.Queues.RabbitMq.Events;

/// <summary>Keeps a <see cref="Board"/> at what the streams say, from the first time that somebody asks until it is disposed.</summary>
internal sealed class BoardFeed(BrokerLine line, BrokerCalls calls, EventWriter writer, Topology topology, QueueNames names, Board board, TimeProvider time) : IAsyncDisposable
{
    private static readonly TimeSpan s_patience = BrokerCalls.Limit;
    /// <summary>How often what a stream confirmed, and does not have, is written again.</summary>
    private const int MostLosses = 3;
    /// <summary>A stream that delivers nothing for so long, although something was written, is read anew: of its deletion the broker says nothing.</summary>
    private static readonly TimeSpan s_silence = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan s_step = TimeSpan.FromMilliseconds(20);

    private readonly ConcurrentDictionary<string, TaskCompletionSource<bool>> _marks = [];
    private readonly ConcurrentDictionary<ChannelWriter<LogEntry>, bool> _followers = [];
    private readonly CancellationTokenSource _stop = new();
    private readonly Lock _gate = new();
    private Task? _running;
    /// <summary>The sequence of the last entry of each stream that was read, those aside that tell of the reading.</summary>
    private readonly ConcurrentDictionary<string, long> _progress = [];
    /// <summary>The offset of the last message of each stream that was read.</summary>
    private readonly ConcurrentDictionary<string, long> _reached = [];
    private readonly ConcurrentDictionary<string, (CancellationTokenSource Stop, long Begun)> _readings = [];
    private volatile QueueException? _trouble;

    public Board Board => board;

    /// <summary>The sequence of the last event that was read; 0 when there was none.</summary>
    public long LastEvent => Progress(names.Events);

    /// <summary>Returns when the board has all that was written before the call.</summary>
    /// <exception cref="QueueException">The streams can't be read.</exception>
    public async Task CatchUpAsync(CancellationToken cancellationToken)
    {
        Start();
        await topology.EnsureLogAsync(await line.ConnectAsync(cancellationToken).ConfigureAwait(false), cancellationToken).ConfigureAwait(false);
        // Once the broker is found to take nothing, it opens no channel either.
        if (!writer.IsBlocked)
            await writer.OpenAsync(cancellationToken).ConfigureAwait(false);
        await Task.WhenAll(CatchUpAsync(names.Events, cancellationToken), CatchUpAsync(names.Heartbeats, cancellationToken)).ConfigureAwait(false);
        board.SetLive();
    }

    /// <summary>Writes the entry, and waits until the board has come to it.</summary>
    /// <returns>Whether it changed the board: false when something that came before forbids it.</returns>
    public Task<bool> AskAsync(LogEntry entry, CancellationToken cancellationToken)
    {
        var marked = entry with { Mark = NewMark() };
        return WaitAsync(names.Events, marked.Mark, token => writer.WriteAsync(marked, token), cancellationToken);
    }

    /// <summary>Entries from now on that changed the board. They are dropped for a follower that does not read.</summary>
    public IDisposable Follow(ChannelWriter<LogEntry> follower)
    {
        _followers.TryAdd(follower, true);
        return new Following(this, follower);
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        Task running;
        lock (_gate)
            running = _running ??= Task.CompletedTask;
        await running.ConfigureAwait(false);
        _stop.Dispose();
    }

    private void Start()
    {
        lock (_gate)
            _running ??= Task.WhenAll(RunAsync(names.Events, _stop.Token), RunAsync(names.Heartbeats, _stop.Token));
    }

    private async Task CatchUpAsync(string stream, CancellationToken cancellationToken)
    {
        var mark = NewMark();
        try
        {
            await WaitAsync(stream, mark, token => WriteMarkerAsync(stream, mark, token), cancellationToken).ConfigureAwait(false);
        }
        catch (QueueException error) when (error.Failure == QueueFailure.Full)
        {
            await ReachEndAsync(stream, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>The longer way, where the broker takes no marker for now: then above all somebody wants to see what there is.</summary>
    private async Task ReachEndAsync(string stream, CancellationToken cancellationToken)
    {
        var end = await new EventStream(line, calls, stream).FindEndAsync(cancellationToken).ConfigureAwait(false) ?? -1;
        for (var (since, before) = (Stopwatch.GetTimestamp(), -1L); _reached.GetValueOrDefault(stream, -1) is var now && now < end;)
        {
            if (now != before)
                (since, before) = (Stopwatch.GetTimestamp(), now);
            else if (Stopwatch.GetElapsedTime(since) > s_patience)
                throw _trouble ?? calls.Failure(QueueFailure.Unavailable, $"{stream} delivers nothing.");
            await Task.Delay(s_step, cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task<bool> WaitAsync(string stream, string mark, Func<CancellationToken, Task> write, CancellationToken cancellationToken)
    {
        var came = Expect(mark);
        try
        {
            for (var losses = 0; losses < MostLosses; losses++)
            {
                await write(cancellationToken).ConfigureAwait(false);
                if (await ComesAsync(stream, came, cancellationToken).ConfigureAwait(false))
                    return await came.ConfigureAwait(false);
            }
            throw calls.Failure(QueueFailure.Unavailable, $"{stream} confirmed {MostLosses} times what it does not have.");
        }
        finally
        {
            _marks.TryRemove(mark, out _);
        }
    }

    /// <summary>Waits for something that the stream has confirmed.</summary>
    /// <returns>False when what was written later has come without it: then it is not in the stream, and never will be.</returns>
    private async Task<bool> ComesAsync(string stream, Task<bool> came, CancellationToken cancellationToken)
    {
        string? later = null;
        Task? passed = null;
        try
        {
            // A long log takes its time; one that does not move is another matter.
            for (var (since, before) = (Stopwatch.GetTimestamp(), Progress(stream)); ;)
            {
                try
                {
                    await Task.WhenAny(came, passed ?? came).WaitAsync(s_silence, cancellationToken).ConfigureAwait(false);
                    return came.IsCompleted;
                }
                catch (TimeoutException)
                {
                    if (Progress(stream) is var now && now != before)
                        (since, before) = (Stopwatch.GetTimestamp(), now);
                    else if (Stopwatch.GetElapsedTime(since) < s_patience)
                        await ReadAnewAsync(stream).ConfigureAwait(false);
                    else
                        throw _trouble ?? calls.Failure(QueueFailure.Unavailable, $"{stream} delivers nothing.");
                }
                if (passed is not null)
                    continue;
                // Where the channel is at fault, the next one is not (see EventWriter).
                writer.Renew(stream, s_silence);
                passed = Expect(later = NewMark());
                await WriteMarkerAsync(stream, later, cancellationToken).ConfigureAwait(false);
            }
        }
        finally
        {
            if (later is not null)
                _marks.TryRemove(later, out _);
        }
    }

    private static string NewMark() => Guid.NewGuid().ToString("N");

    private Task<bool> Expect(string mark) => (_marks[mark] = new(TaskCreationOptions.RunContinuationsAsynchronously)).Task;

    private Task WriteMarkerAsync(string stream, string mark, CancellationToken cancellationToken) =>
        writer.WriteMarkerAsync(stream, new LogEntry { Kind = LogEntryKind.Marker, Time = time.GetUtcNow(), Mark = mark }, cancellationToken);

    private long Progress(string stream) => _progress.GetValueOrDefault(stream);

    private async Task ReadAnewAsync(string stream)
    {
        try
        {
            // Many may wait, and each of them says so.
            if (_readings.TryGetValue(stream, out var reading) && Stopwatch.GetElapsedTime(reading.Begun) >= s_silence / 2)
                await reading.Stop.CancelAsync().ConfigureAwait(false);
        }
        catch (ObjectDisposedException)
        {
            // It has just ended by itself.
        }
    }

    private async Task RunAsync(string stream, CancellationToken cancellationToken)
    {
        object from = EventStream.First;
        // What was read last, read again where the reading goes on: somebody may have deleted the stream, and another one of the name have grown beyond that place.
        UInt128 last = 0;
        // Of another stream of the name nothing would come up to the place where the old one ended.
        var isSilent = false;
        var reader = new EventStream(line, calls, stream);
        for (var failures = 0; !cancellationToken.IsCancellationRequested;)
        {
            using var reading = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            _readings[stream] = (reading, Stopwatch.GetTimestamp());
            try
            {
                await topology.EnsureLogAsync(await line.ConnectAsync(cancellationToken).ConfigureAwait(false), cancellationToken).ConfigureAwait(false);
                var isAgain = from is long;
                await foreach (var message in reader.ReadAsync(isSilent ? EventStream.First : from is long there ? there - 1 : from, () => BeginAsync(stream, isAgain, reading.Token), reading.Token).ConfigureAwait(false))
                {
                    // A chunk is delivered whole, also what lies before the place that was asked for.
                    if (from is long next && message.Offset < next)
                    {
                        // What is waited for has not been there before.
                        var isOther = message.Offset == next - 1 ? message.Fingerprint != last : message.Entries.Any(entry => entry.Mark is not null && _marks.ContainsKey(entry.Mark));
                        if (!isOther)
                            continue;
                        // Another stream of that name, to be read from its beginning.
                        from = EventStream.First;
                        _progress[stream] = 0;
                        break;
                    }
                    (from, last) = (message.Offset + 1, message.Fingerprint);
                    failures = 0;
                    isSilent = false;
                    // What tells of the reading alone must not keep those waiting who wait in vain.
                    if (message.Entries.Any(entry => entry.Kind != LogEntryKind.Marker))
                        _progress[stream] = message.Sequence(message.Entries.Length - 1);
                    foreach (var entry in message.Entries)
                        Apply(entry);
                    _reached[stream] = message.Offset;
                }
            }
            catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
            {
                return;
            }
            catch (OperationCanceledException)
            {
                // The member of the cluster that we are connected to may have no copy that runs; another one has.
                if (isSilent)
                    line.Cut();
                isSilent = true;
                topology.Forget();
            }
            catch (Exception error)
            {
                // Also what nobody foresaw: who does not read any more hears of no cancel, and does not know that he is deaf.
                _trouble = calls.Explain(error, $"read {stream}");
                // What the broker does not allow does not pass by waiting.
                if (_trouble is { Failure: QueueFailure.Denied or QueueFailure.NotAQueue } refused)
                    Fail(refused);
                topology.Forget();
                await Task.Delay(RetryBackoff.After(++failures, Random.Shared.NextDouble()) / 4, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    /// <summary>Where the reading goes on, a marker tells whether it is still the same stream: somebody may have deleted that, and offsets begin at 0 again.</summary>
    private async Task BeginAsync(string stream, bool isAgain, CancellationToken cancellationToken)
    {
        _trouble = null;
        if (!isAgain)
            return;
        var mark = NewMark();
        _ = Expect(mark);
        try
        {
            await WriteMarkerAsync(stream, mark, cancellationToken).ConfigureAwait(false);
        }
        catch (QueueException error) when (error.Failure == QueueFailure.Full)
        {
            // What the stream has is to be seen also while nothing can be written.
            _marks.TryRemove(mark, out _);
        }
    }

    private void Fail(QueueException error)
    {
        foreach (var waiting in _marks.Values)
            waiting.TrySetException(error);
    }

    private void Apply(LogEntry entry)
    {
        var changed = entry.Kind != LogEntryKind.Marker && TryApply(entry);
        if (entry.Mark is not null && _marks.TryRemove(entry.Mark, out var waiting))
            waiting.TrySetResult(changed);
        if (!changed)
            return;
        foreach (var follower in _followers.Keys)
            follower.TryWrite(entry);
    }

    /// <summary>An entry that the board can't take, a defect of ours, must not keep those behind it from anybody: it comes again with each reading.</summary>
    private bool TryApply(LogEntry entry)
    {
        try
        {
            return board.Apply(entry);
        }
        catch (Exception)
        {
            return false;
        }
    }

    private sealed class Following(BoardFeed feed, ChannelWriter<LogEntry> follower) : IDisposable
    {
        public void Dispose() => feed._followers.TryRemove(follower, out _);
    }
}
