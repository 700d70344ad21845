using Sisyphus.Engine.Storage;
using Sisyphus.Engine.Storage.Google;
using Sisyphus.Tests.StoreEmulator.Google;
using Sisyphus.Tests.Unit.Storage;

namespace Sisyphus.Tests.Stores.Google;

public sealed class GoogleContractTests : ObjectStoreContract
{
    private GoogleEmulator? _emulator;

    private protected override IObjectStore Store => field ??= Reopen();

    private protected override bool CanHold(string key) => key is not ("." or "..") && !key.AsSpan().ContainsAny('\r', '\n');

    // Kestrel takes no %00 in a path.
    private protected override bool Mistakes(string key) => key.Contains('\0', StringComparison.Ordinal);

    private protected override IObjectStore Reopen() => GoogleStores.Open(_emulator!, parts: GoogleStores.PatientParts(_emulator!), chunk: GoogleUpload.DefaultChunkSize);

    private protected override async Task PrepareAsync()
    {
        _emulator = await GoogleEmulator.StartAsync(new GoogleEmulatorOptions { PageSize = 3 });
        _emulator.CreateBucket(Bucket);
    }

    public override async ValueTask DisposeAsync()
    {
        await _emulator!.DisposeAsync();
        await base.DisposeAsync();
    }
}
