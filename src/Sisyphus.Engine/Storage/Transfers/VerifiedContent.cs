using Sisyphus.Engine.Storage.Checksums;
using Sisyphus.Engine.Tasks;

namespace Sisyphus.Engine.Storage.Transfers;

/// <summary>The content of an object for another store: over as many connections, one after the other, as it takes. One that is not what its store says of it has no end, so that whoever writes it never finishes.</summary>
/// <param name="moved">Told the number of bytes of each read.</param>
internal sealed class VerifiedContent(TransferScheduler scheduler, IObjectStore store, ObjectInfo info, Action<long> moved) : ReadOnlyStream
{
    private Stream? _connection;
    private Crc32C _crc;

    /// <summary>Bytes read so far.</summary>
    public long Size { get; private set; }

    /// <summary>Of the bytes read so far.</summary>
    public uint Crc32C => _crc.Value;

    /// <summary>All of it came, and it was something else.</summary>
    public bool IsDamaged { get; private set; }

    /// <summary>It has been tried as often as the options allow.</summary>
    public bool IsGivenUp { get; private set; }

    public override long Length => info.Size == ObjectInfo.UnknownSize ? base.Length : info.Size;

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        for (var failures = 1; ; failures++)
        {
            try
            {
                _connection ??= await store.OpenReadAsync(info, Size, cancellationToken).ConfigureAwait(false);
                var count = await _connection.ReadAsync(buffer, cancellationToken).ConfigureAwait(false);
                if (count == 0 && buffer.Length > 0)
                    RequireWhole();
                _crc.Append(buffer.Span[..count]);
                Size += count;
                moved(count);
                return count;
            }
            catch (TaskFailureException e) when (Retry.IsWorthwhile(e))
            {
                await CloseAsync().ConfigureAwait(false);
                // Without a size there are no ranges to go on with: from the beginning, by whoever writes it.
                if (info.Size == ObjectInfo.UnknownSize && Size > 0)
                    throw;
                if (failures == scheduler.Options.Attempts)
                {
                    IsGivenUp = true;
                    throw;
                }
                await scheduler.Retry.PauseAsync(failures, e, cancellationToken).ConfigureAwait(false);
            }
        }
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
            _connection?.Dispose();
        base.Dispose(disposing);
    }

    private void RequireWhole()
    {
        if ((info.Size == ObjectInfo.UnknownSize || info.Size == Size) && (info.Crc32C ?? Crc32C) == Crc32C)
            return;
        IsDamaged = true;
        throw new TaskFailureException(
            FailureReason.InputCorrupt, $"{info.Bucket}:{info.Key} arrived damaged: {Size} bytes, CRC-32C {Checksums.Crc32C.ToText(Crc32C)}, instead of {info.Size}, {Checksums.Crc32C.ToText(info.Crc32C ?? Crc32C)}.");
    }

    private async Task CloseAsync()
    {
        if (_connection is not null)
            await _connection.DisposeAsync().ConfigureAwait(false);
        _connection = null;
    }
}
