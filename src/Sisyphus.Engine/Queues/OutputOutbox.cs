using System.Collections.Concurrent;
using System.Threading.Channels;

namespace Sisyphus.Engine.Queues;

/// <summary>What a node's tasks write and somebody reads, on its way to the queue: a few batches a second, bounded, and dropped where the queue does not keep up.</summary>
internal sealed class OutputOutbox : IAsyncDisposable
{
    public static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(200);
    /// <summary>How long a task that is to be settled waits for its last lines to be sent.</summary>
    private static readonly TimeSpan s_closeLimit = TimeSpan.FromSeconds(1);

    private readonly ConcurrentDictionary<OutputBuffer, bool> _buffers = [];
    private readonly Channel<bool> _filled = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
    private readonly SemaphoreSlim _one = new(1, 1);
    private readonly CancellationTokenSource _stop = new();
    private readonly CancellationToken _stopped;
    private readonly Func<string, bool> _isWanted;
    private readonly Func<IReadOnlyList<OutputBatch>, CancellationToken, Task> _send;
    private readonly TimeProvider _time;
    private readonly Task _sending;

    /// <param name="isWanted">Asked for each line: cheap.</param>
    public OutputOutbox(Func<string, bool> isWanted, Func<IReadOnlyList<OutputBatch>, CancellationToken, Task> send, TimeProvider time)
    {
        (_isWanted, _send, _time, _stopped) = (isWanted, send, time, _stop.Token);
        _sending = Task.Run(SendAsync);
    }

    /// <summary>Of one attempt.</summary>
    public OutputBuffer Open(string taskId)
    {
        var buffer = new OutputBuffer(taskId, _isWanted, () => _filled.Writer.TryWrite(true), _time);
        _buffers.TryAdd(buffer, true);
        return buffer;
    }

    /// <summary>Sends what is left of an attempt that is over, so that its last lines are there before its end is.</summary>
    /// <returns>Whether anybody reads it.</returns>
    public async Task<bool> CloseAsync(OutputBuffer buffer)
    {
        if (!Forget(buffer) || !_isWanted(buffer.TaskId))
            return false;
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(_stopped);
        limit.CancelAfter(s_closeLimit);
        await SendAsync(() => buffer.Close() is { } last ? [last] : [], limit.Token).ConfigureAwait(false);
        return true;
    }

    /// <summary>The attempt is over, and what it wrote last is nobody's.</summary>
    public bool Forget(OutputBuffer buffer) => _buffers.TryRemove(buffer, out _);

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        await _sending.ConfigureAwait(false);
        _stop.Dispose();
    }

    private async Task SendAsync()
    {
        while (!_stopped.IsCancellationRequested)
        {
            if (_buffers.Keys.All(buffer => buffer.IsEmpty))
                await ((Task)_filled.Reader.WaitToReadAsync(_stopped).AsTask()).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            _filled.Reader.TryRead(out _);
            await SendAsync(() => [.. _buffers.Keys.Select(buffer => buffer.Take()).OfType<OutputBatch>()], _stopped).ConfigureAwait(false);
            await Task.Delay(Interval, _stopped).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>One sending at a time, so that lines stay in order.</summary>
    private async Task SendAsync(Func<IReadOnlyList<OutputBatch>> take, CancellationToken cancellationToken)
    {
        try
        {
            await _one.WaitAsync(cancellationToken).ConfigureAwait(false);
            try
            {
                if (take() is { Count: > 0 } batches)
                    await _send(batches, cancellationToken).ConfigureAwait(false);
            }
            finally
            {
                _one.Release();
            }
        }
        catch (Exception error) when (error is QueueException or OperationCanceledException or ObjectDisposedException)
        {
            // Left out: who reads on sees it by the numbers of the lines.
        }
    }
}
