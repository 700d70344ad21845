using System.Collections.Concurrent;
using System.Diagnostics;
using System.Threading.Channels;
using Sisyphus.Engine.Execution;

namespace Sisyphus.Engine.Queues.RabbitMq;

/// <summary>Keeps a <see cref="Board"/> at what the streams say, from the first time that somebody asks until it is disposed.</summary>
internal sealed class BoardFeed(BrokerLine line, BrokerCalls calls, EventWriter writer, Topology topology, QueueNames names, Board board, TimeProvider time) : IAsyncDisposable
{
    private static readonly TimeSpan s_patience = BrokerCalls.Limit;
    /// <summary>A stream that delivers nothing for so long, although something was written, is read anew: of its deletion the broker says nothing.</summary>
    private static readonly TimeSpan s_silence = TimeSpan.FromSeconds(3);

    private readonly ConcurrentDictionary<string, TaskCompletionSource<bool>> _marks = [];
    private readonly ConcurrentDictionary<ChannelWriter<LogEntry>, bool> _followers = [];
    private readonly CancellationTokenSource _stop = new();
    private readonly Lock _gate = new();
    private Task? _running;
    private readonly ConcurrentDictionary<string, long> _progress = [];
    private readonly ConcurrentDictionary<string, CancellationTokenSource> _readings = [];
    private volatile QueueException? _trouble;

    public Board Board => board;

    /// <summary>Returns when the board has all that was written before the call.</summary>
    /// <exception cref="QueueException">The streams can't be read.</exception>
    public async Task CatchUpAsync(CancellationToken cancellationToken)
    {
        Start();
        await topology.EnsureLogAsync(await line.ConnectAsync(cancellationToken).ConfigureAwait(false), cancellationToken).ConfigureAwait(false);
        await Task.WhenAll(CatchUpAsync(names.Events, cancellationToken), CatchUpAsync(names.Heartbeats, cancellationToken)).ConfigureAwait(false);
        board.SetLive();
    }

    /// <summary>Writes the entry, and waits until the board has come to it.</summary>
    /// <returns>Whether it changed the board: false when something that came before forbids it.</returns>
    public Task<bool> AskAsync(LogEntry entry, CancellationToken cancellationToken)
    {
        var marked = entry with { Mark = Guid.NewGuid().ToString("N") };
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

    private Task<bool> CatchUpAsync(string stream, CancellationToken cancellationToken)
    {
        var marker = new LogEntry { Kind = LogEntryKind.Marker, Time = time.GetUtcNow(), Mark = Guid.NewGuid().ToString("N") };
        return WaitAsync(stream, marker.Mark, token => writer.WriteMarkerAsync(stream, marker, token), cancellationToken);
    }

    private async Task<bool> WaitAsync(string stream, string mark, Func<CancellationToken, Task> write, CancellationToken cancellationToken)
    {
        var came = new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);
        _marks[mark] = came;
        try
        {
            await write(cancellationToken).ConfigureAwait(false);
            // A long log takes its time; one that does not move is another matter.
            for (var (since, before) = (Stopwatch.GetTimestamp(), Progress(stream)); ;)
            {
                try
                {
                    return await came.Task.WaitAsync(s_silence, cancellationToken).ConfigureAwait(false);
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
            }
        }
        finally
        {
            _marks.TryRemove(mark, out _);
        }
    }

    private long Progress(string stream) => _progress.GetValueOrDefault(stream);

    private async Task ReadAnewAsync(string stream)
    {
        try
        {
            if (_readings.TryGetValue(stream, out var reading))
                await reading.CancelAsync().ConfigureAwait(false);
        }
        catch (ObjectDisposedException)
        {
            // It has just ended by itself.
        }
    }

    private async Task RunAsync(string stream, CancellationToken cancellationToken)
    {
        object from = EventStream.First;
        // Of another stream of the name nothing would come up to the place where the old one ended.
        var isSilent = false;
        var reader = new EventStream(line, calls, stream);
        for (var failures = 0; !cancellationToken.IsCancellationRequested;)
        {
            using var reading = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            _readings[stream] = reading;
            try
            {
                await topology.EnsureLogAsync(await line.ConnectAsync(cancellationToken).ConfigureAwait(false), cancellationToken).ConfigureAwait(false);
                var isAgain = from is long;
                await foreach (var message in reader.ReadAsync(isSilent ? EventStream.First : from, () => BeginAsync(stream, isAgain, reading.Token), reading.Token).ConfigureAwait(false))
                {
                    // A chunk is delivered whole, also what lies before the place that was asked for.
                    if (from is long next && message.Offset < next)
                    {
                        if (!message.Entries.Any(entry => entry.Mark is not null && _marks.ContainsKey(entry.Mark)))
                            continue;
                        // What is waited for has not been there before: it is another stream of that name, to be read from its beginning.
                        from = EventStream.First;
                        break;
                    }
                    from = message.Offset + 1;
                    failures = 0;
                    isSilent = false;
                    _progress[stream] = message.Offset;
                    foreach (var entry in message.Entries)
                        Apply(entry);
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
            catch (Exception error) when (error is QueueException or ObjectDisposedException or ChannelClosedException)
            {
                _trouble = error as QueueException;
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
        var marker = new LogEntry { Kind = LogEntryKind.Marker, Time = time.GetUtcNow(), Mark = Guid.NewGuid().ToString("N") };
        _marks[marker.Mark] = new(TaskCreationOptions.RunContinuationsAsynchronously);
        await writer.WriteMarkerAsync(stream, marker, cancellationToken).ConfigureAwait(false);
    }

    private void Fail(QueueException error)
    {
        foreach (var waiting in _marks.Values)
            waiting.TrySetException(error);
    }

    private void Apply(LogEntry entry)
    {
        var changed = entry.Kind != LogEntryKind.Marker && board.Apply(entry);
        if (entry.Mark is not null && _marks.TryRemove(entry.Mark, out var waiting))
            waiting.TrySetResult(changed);
        if (!changed)
            return;
        foreach (var follower in _followers.Keys)
            follower.TryWrite(entry);
    }

    private sealed class Following(BoardFeed feed, ChannelWriter<LogEntry> follower) : IDisposable
    {
        public void Dispose() => feed._followers.TryRemove(follower, out _);
    }
}
