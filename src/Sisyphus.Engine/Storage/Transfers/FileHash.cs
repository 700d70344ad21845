using System.Buffers;
using Microsoft.Win32.SafeHandles;
using Sisyphus.Engine.Storage.Checksums;

namespace Sisyphus.Engine.Storage.Transfers;

/// <summary>Hashes a file whose pieces arrive in any order, each as soon as all before it are there: they are read while the system still has them in memory.</summary>
internal sealed class FileHash(SafeFileHandle file, Func<Exception, Exception> failed) : IDisposable
{
    private readonly ContentHash _hash = new();
    private readonly SemaphoreSlim _one = new(1);
    private readonly Dictionary<long, long> _arrived = [];
    private long _hashed;

    /// <summary>Of the bytes up to the first that has not arrived.</summary>
    public ContentSums Current => _hash.Current;

    public async Task ArrivedAsync(long offset, long length, CancellationToken cancellationToken)
    {
        await _one.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            _arrived.Add(offset, length);
            while (_arrived.Remove(_hashed, out var next))
                await AppendAsync(next, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            _one.Release();
        }
    }

    public void Dispose()
    {
        _hash.Dispose();
        _one.Dispose();
    }

    private async Task AppendAsync(long length, CancellationToken cancellationToken)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(StreamPump.BufferSize);
        try
        {
            for (var end = _hashed + length; _hashed < end;)
            {
                var part = buffer.AsMemory(0, (int)Math.Min(buffer.Length, end - _hashed));
                var count = await RandomAccess.ReadAsync(file, part, _hashed, cancellationToken).ConfigureAwait(false);
                if (count == 0)
                    throw failed(new EndOfStreamException("the file is shorter than what was written to it"));
                _hash.Append(part.Span[..count]);
                _hashed += count;
            }
        }
        catch (Exception e) when (StoreFailures.IsIO(e))
        {
            throw failed(e);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }
}
