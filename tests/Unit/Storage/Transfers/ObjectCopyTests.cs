using Sisyphus.Engine.Storage;
using Sisyphus.Engine.Storage.Checksums;
using Sisyphus.Engine.Storage.Directories;
using Sisyphus.Engine.Storage.Transfers;
using Sisyphus.Engine.Tasks;
using Xunit;
using static Sisyphus.Tests.Unit.Storage.StoreAssertions;

namespace Sisyphus.Tests.Unit.Storage.Transfers;

/// <summary>From store to store.</summary>
public sealed class ObjectCopyTests : IDisposable
{
    private static readonly byte[] Whole = Content(1_000_000);

    private readonly TemporaryFolder _folder = new();
    private readonly TransferMeter _meter = new();
    private readonly DirectoryObjectStore _to;

    public ObjectCopyTests() => _to = DirectoryObjectStore.OfRoot(_folder["store"]);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Run_ConnectionBreaks_GoesOnWhereItBroke()
    {
        var from = new ScriptedStore((n, offset) => new MemoryStream(Whole[(int)offset..(n < 4 ? n * 300_000 : Whole.Length)]));
        await CopyAsync(from);
        Assert.Equal([0, 300_000, 600_000, 900_000], from.Offsets);
        Assert.Equal(Whole, await _to.ReadAsync("bucket", "copy"));
        Assert.Equal((Whole.Length, 1), (_meter.Current.Bytes, _meter.Current.Objects));
    }

    [Fact]
    public async Task Run_NothingComes_GoesOn()
    {
        var from = new ScriptedStore((n, offset) => n == 1 ? new SilentStream() : new MemoryStream(Whole[(int)offset..]));
        await CopyAsync(from);
        Assert.Equal(2, from.Opened);
        Assert.Equal(Whole, await _to.ReadAsync("bucket", "copy"));
    }

    [Fact]
    public async Task Run_DamagedOnce_IsReadAgain()
    {
        var from = new ScriptedStore((n, _) => new MemoryStream(n == 1 ? Content(Whole.Length, 2) : Whole));
        await CopyAsync(from);
        Assert.Equal(Whole, await _to.ReadAsync("bucket", "copy"));
        Assert.Equal((2, Whole.Length), (from.Opened, _meter.Current.Bytes));
    }

    [Fact]
    public async Task Run_DamagedAlways_NeverTouchesWhatIsThere()
    {
        var old = await _to.PutAsync("bucket", "copy", "old");
        var from = new ScriptedStore((_, _) => new MemoryStream(Content(Whole.Length, 2)));
        var failure = await FailsAsync(FailureReason.InputCorrupt, () => CopyAsync(from));
        Assert.Contains("bucket:k", failure.Message, StringComparison.Ordinal);
        Assert.Equal((2, old with { Crc32C = null }), (from.Opened, await _to.StatAsync("bucket", "copy", Token)));
        Assert.Equal((0, 0), (_meter.Current.Bytes, _meter.Current.Objects));
    }

    [Fact]
    public async Task Run_BrokenForGood_IsTriedAsOftenAsTheOptionsSay()
    {
        var from = new ScriptedStore((_, _) => throw new TaskFailureException(FailureReason.TransferFailed, "reset"));
        await FailsAsync(FailureReason.TransferFailed, () => CopyAsync(from));
        Assert.Equal(TransferOptions.DefaultAttempts, from.Opened);
        Assert.Null(await _to.StatAsync("bucket", "copy", Token));
    }

    [Fact]
    public async Task Run_DestinationFails_IsTriedAgain()
    {
        var from = new ScriptedStore((_, _) => new MemoryStream(Whole));
        var to = new FaultyStore(_to, call => call == 1 ? Fault.Before : Fault.None, () => new TaskFailureException(FailureReason.TransferFailed, "reset"));
        await CopyAsync(from, to);
        Assert.Equal(Whole, await _to.ReadAsync("bucket", "copy"));
    }

    private Task<ObjectInfo?> CopyAsync(ScriptedStore from, IObjectStore? to = null) =>
        new ObjectCopy(from, new ObjectInfo("bucket", "k", Whole.Length, "1", Crc32C.Of(Whole), default), "bucket:k", new ObjectLocation(to ?? _to, "bucket", "copy"), "bucket:copy")
            .RunAsync(new TransferScheduler(new TransferOptions { BaseDelay = TimeSpan.Zero }), _meter, Token);

    private sealed class SilentStream : ReadOnlyStream
    {
        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            await Task.Delay(Timeout.Infinite, cancellationToken);
            return 0;
        }
    }
}
