using Sisyphus.Engine.Storage;

namespace Sisyphus.Engine.Execution.Publishing;

/// <summary>Hands over the last bytes only while it is still the attempt's turn: without them no store finishes an object, however long it was on its way.</summary>
internal sealed class TurnStream(Stream inner, long size, Turn turn) : ReadOnlyStream
{
    private long _passed;

    public override long Length => inner.Length;

    public override int Read(Span<byte> buffer) => throw new NotSupportedException("Asking for the turn takes a call that waits.");

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        var count = await inner.ReadAsync(buffer, cancellationToken).ConfigureAwait(false);
        _passed += count;
        if (_passed >= size || (count == 0 && buffer.Length > 0))
            await turn.RequireStillAsync(cancellationToken).ConfigureAwait(false);
        return count;
    }
}
