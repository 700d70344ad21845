using Sisyphus.Engine.Storage;

namespace Sisyphus.Tests.Unit.Storage.Transfers;

/// <summary>A store with one object that is read in ranges, from several threads: offset, length → stream.</summary>
internal sealed class RangeStore(Func<long, long?, Stream> open) : ReadableStore
{
    // Not on the caller's thread: a test may let one range wait for another.
    public override Task<Stream> OpenReadAsync(ObjectInfo info, long offset, long? length, CancellationToken cancellationToken) =>
        Task.Run(() => Promised(open(offset, length), info, offset, length), cancellationToken);
}
