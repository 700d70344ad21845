using System.Buffers;

namespace Sisyphus.Engine.Storage.Transfers;

/// <summary>Buffers for pieces of objects that are on their way, of a bounded sum. Who wants more than is free waits for his turn.</summary>
/// <param name="limit">Bytes; a single buffer that is larger is given when nothing else is out.</param>
internal sealed class TransferMemory(long limit)
{
    private readonly Lock _lock = new();
    private readonly Queue<(int Size, TaskCompletionSource Turn)> _waiting = [];
    private long _used;

    /// <summary>Bytes that are out.</summary>
    public long Used => Interlocked.Read(ref _used);

    /// <summary>The highest that <see cref="Used"/> has been.</summary>
    public long Peak { get; private set; }

    /// <summary>A buffer of exactly <paramref name="size"/> bytes. Who holds one must not wait for another: take one at a time.</summary>
    public async ValueTask<IMemoryOwner<byte>> RentAsync(int size, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(size);
        TaskCompletionSource? turn = null;
        lock (_lock)
        {
            if (_waiting.Count > 0 || !TryTake(size))
                _waiting.Enqueue((size, turn = new(TaskCreationOptions.RunContinuationsAsynchronously)));
        }
        if (turn is not null)
        {
            var canceled = cancellationToken.UnsafeRegister(static (state, token) => ((TaskCompletionSource)state!).TrySetCanceled(token), turn);
            await using (canceled.ConfigureAwait(false))
                await turn.Task.ConfigureAwait(false);
        }
        return new Buffer(this, size);
    }

    private bool TryTake(int size)
    {
        if (_used > 0 && _used + size > limit)
            return false;
        _used += size;
        Peak = Math.Max(Peak, _used);
        return true;
    }

    private void Return(int size)
    {
        lock (_lock)
        {
            _used -= size;
            while (_waiting.TryPeek(out var next) && TryTake(next.Size))
            {
                _waiting.Dequeue();
                // Whoever has left meanwhile leaves his share to the next.
                if (!next.Turn.TrySetResult())
                    _used -= next.Size;
            }
        }
    }

    private sealed class Buffer(TransferMemory memory, int size) : IMemoryOwner<byte>
    {
        private byte[]? _bytes = ArrayPool<byte>.Shared.Rent(size);

        public Memory<byte> Memory => (_bytes ?? throw new ObjectDisposedException(nameof(Buffer))).AsMemory(0, size);

        public void Dispose()
        {
            if (Interlocked.Exchange(ref _bytes, null) is not { } bytes)
                return;
            ArrayPool<byte>.Shared.Return(bytes);
            memory.Return(size);
        }
    }
}
