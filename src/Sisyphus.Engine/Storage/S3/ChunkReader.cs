namespace Sisyphus.Engine.Storage.S3;

/// <summary>Cuts a content of unknown length into pieces, and knows of each whether it is the last.</summary>
internal sealed class ChunkReader(Stream content)
{
    private readonly byte[] _next = new byte[1];
    private bool _hasNext;

    /// <summary>Nothing follows what was read.</summary>
    public bool AtEnd { get; private set; }

    /// <returns>How much there is: less than the buffer only at the end.</returns>
    public async Task<int> FillAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        var filled = 0;
        if (_hasNext && buffer.Length > 0)
        {
            buffer.Span[filled++] = _next[0];
            _hasNext = false;
        }
        filled += AtEnd ? 0 : await content.ReadAtLeastAsync(buffer[filled..], buffer.Length - filled, throwOnEndOfStream: false, cancellationToken).ConfigureAwait(false);
        if (!AtEnd && !_hasNext)
        {
            _hasNext = filled == buffer.Length && await content.ReadAsync(_next, cancellationToken).ConfigureAwait(false) > 0;
            AtEnd = !_hasNext;
        }
        return filled;
    }
}
