using Sisyphus.Engine.Storage;

namespace Sisyphus.Tests.Unit.Storage.Transfers;

/// <summary>A store with one object, whose reads go as the test says: nth opening, offset → stream.</summary>
internal sealed class ScriptedStore(Func<int, long, Stream> open, Func<Task>? before = null) : ReadableStore
{
    public int Opened { get; private set; }

    public List<long> Offsets { get; } = [];

    public override async Task<Stream> OpenReadAsync(ObjectInfo info, long offset, long? length, CancellationToken cancellationToken)
    {
        Offsets.Add(offset);
        await (before?.Invoke() ?? Task.CompletedTask);
        return Promised(open(++Opened, offset), info, offset, length);
    }
}
