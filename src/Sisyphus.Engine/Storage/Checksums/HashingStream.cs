namespace Sisyphus.Engine.Storage.Checksums;

/// <summary>Hashes what is read through it. Owns neither the inner stream nor what was read.</summary>
/// <param name="read">Told the number of bytes of each read.</param>
internal sealed class HashingStream(Stream inner, Action<int>? read = null) : ReadOnlyStream
{
    private readonly ContentHash _hash = new();

    /// <summary>Of the bytes read so far.</summary>
    public ContentSums Current => _hash.Current;

    public override long Length => inner.Length;

    public override int Read(Span<byte> buffer)
    {
        var count = inner.Read(buffer);
        Passed(buffer[..count]);
        return count;
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        var count = await inner.ReadAsync(buffer, cancellationToken).ConfigureAwait(false);
        Passed(buffer.Span[..count]);
        return count;
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
            _hash.Dispose();
        base.Dispose(disposing);
    }

    private void Passed(ReadOnlySpan<byte> bytes)
    {
        _hash.Append(bytes);
        read?.Invoke(bytes.Length);
    }
}
