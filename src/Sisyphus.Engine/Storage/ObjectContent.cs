using Sisyphus.Engine.Tasks;

namespace Sisyphus.Engine.Storage;

/// <summary>The content of an object as a service sends it, with what <see cref="IObjectStore.OpenReadAsync"/> promises of it: whatever goes wrong is one kind of failure, too early an end is none that passes for one, and a connection over which nothing comes is given up.</summary>
/// <param name="length">Bytes that have to come; null where nobody has said.</param>
/// <param name="name">The object, as messages name it.</param>
/// <param name="owner">Disposed with the stream.</param>
internal sealed class ObjectContent(Stream inner, long? length, string name, IDisposable owner, StoreParts parts) : ReadOnlyStream
{
    private long _left = length ?? long.MaxValue;

    public override long Length => length ?? base.Length;

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        using var stall = new StallWatch(parts.Transfers.StallTimeout, parts.Time, cancellationToken);
        int count;
        try
        {
            count = await inner.ReadAsync(buffer[..(int)Math.Min(buffer.Length, _left)], stall.Token).ConfigureAwait(false);
        }
        // Each service's library has exceptions of its own for a connection that breaks.
        catch (Exception e) when (e is not TaskFailureException)
        {
            cancellationToken.ThrowIfCancellationRequested();
            throw stall.IsStalled ? Failure($"nothing came for {parts.Transfers.StallTimeout.TotalSeconds:0} s", e) : ServiceFailures.FromTransport(e, $"read {name}");
        }
        _left -= count;
        return count > 0 || buffer.Length == 0 || length is null || _left == 0 ? count : throw Failure($"it ended {_left} bytes too soon");
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            inner.Dispose();
            owner.Dispose();
        }
        base.Dispose(disposing);
    }

    private TaskFailureException Failure(string why, Exception? cause = null) => new(FailureReason.TransferFailed, $"Can't read {name}: {why}.", cause);
}
