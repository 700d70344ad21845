using System.Text;
using Sisyphus.Engine.Storage;
using Sisyphus.Engine.Storage.Google;
using Sisyphus.Engine.Tasks;
using Sisyphus.Tests.StoreEmulator.Google;
using Sisyphus.Tests.Unit.Storage;

namespace Sisyphus.Tests.Stores.Google;

/// <summary>A part of a bucket as one of its own.</summary>
public sealed class GoogleMappedBucketContractTests : ObjectStoreContract
{
    private const string Prefix = "pre/fix/";

    private GoogleEmulator? _emulator;

    private protected override IObjectStore Store => field ??= Reopen();

    private protected override bool CanHold(string key) => Encoding.UTF8.GetByteCount(Prefix + key) <= RemotePath.MaxKeyBytes && !key.AsSpan().ContainsAny('\r', '\n');

    // Kestrel takes no %00 in a path.
    private protected override bool Mistakes(string key) => key.Contains('\0', StringComparison.Ordinal);

    // Where it really is: only that can be looked for.
    private protected override string NameOf(string key) => $"real-bucket:{Prefix}{key}";

    private protected override IObjectStore Reopen() =>
        new MappedBucket(GoogleStores.Open(_emulator!, parts: GoogleStores.PatientParts(_emulator!), chunk: GoogleUpload.DefaultChunkSize), Bucket, "real-bucket", Prefix);

    private protected override async Task PrepareAsync()
    {
        _emulator = await GoogleEmulator.StartAsync(new GoogleEmulatorOptions { PageSize = 3 });
        _emulator.CreateBucket("real-bucket");
        foreach (var outside in (string[])["pre/f", "pre/fixture", "pre/g", "k"])
            _emulator.Put("real-bucket", outside, "outside"u8);
    }

    public override async ValueTask DisposeAsync()
    {
        await _emulator!.DisposeAsync();
        await base.DisposeAsync();
    }
}
