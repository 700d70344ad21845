using Sisyphus.Engine.Storage;
using Sisyphus.Engine.Storage.S3;
using Sisyphus.Tests.StoreEmulator.S3;
using Sisyphus.Tests.Unit.Storage;

namespace Sisyphus.Tests.Stores.S3;

/// <summary>The contract on an emulator of its own for each test.</summary>
public abstract class S3EmulatorContract : ObjectStoreContract
{
    private S3Emulator _emulator = null!;

    private protected override IObjectStore Store => Reopen();

    // An ETag is the content's.
    private protected override bool HasGenerationPerPut => false;

    // The answer to a PUT has no time.
    private protected override TimeSpan ModifiedTolerance => TimeSpan.FromSeconds(5);

    private protected virtual S3EmulatorOptions Options => new();

    private protected override async Task PrepareAsync() => _emulator = await S3Stores.StartAsync(Options, Bucket);

    public override async ValueTask DisposeAsync()
    {
        await _emulator.DisposeAsync();
        await base.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    private protected override bool CanHold(string key) => S3Names.IsKey(key);

    private protected override IObjectStore Reopen() => S3Stores.Open(_emulator);
}
