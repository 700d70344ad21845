using Sisyphus.Engine.Storage.S3;
using Sisyphus.Tests.StoreEmulator.Faults;
using Sisyphus.Tests.Unit.Storage;
using Xunit;
using static Sisyphus.Tests.Unit.Storage.StoreAssertions;

namespace Sisyphus.Tests.Stores.S3;

public sealed class S3KilledCopyTests
{
    private static readonly int Chunk = S3Limits.Default.Chunk;
    private static readonly int Size = (6 * Chunk) + 1000;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Copy_Killed_TheNextProcessSendsOnlyTheRest()
    {
        using var folder = new TemporaryFolder();
        await using var emulator = await S3Stores.StartAsync(buckets: "bucket");
        await File.WriteAllBytesAsync(folder["file"], Content(Size), Token);
        var script = $"Connect-Sisyphus -Store 's3:?endpoint={emulator.Address}'; Copy-SisyphusObject '{folder["file"]}' bucket:k";
        var keys = new Dictionary<string, string> { ["AWS_ACCESS_KEY_ID"] = emulator.Options.AccessKey, ["AWS_SECRET_ACCESS_KEY"] = emulator.Options.SecretKey };
        var fault = new Fault("UploadPart", FaultKind.Held, skip: 3);
        emulator.Inject(fault);

        await using (var first = new ModuleProcess(folder, script, keys))
        {
            await fault.Struck.WaitAsync(TimeSpan.FromMinutes(1), Token);
            await first.KillAsync();
        }
        fault.Release();
        Assert.Equal(1, emulator.OpenUploads("bucket"));
        var sent = emulator.Received("UploadPart");

        await using var second = new ModuleProcess(folder, script, keys);
        var (code, output) = await second.EndAsync();

        Assert.True(code == 0, output);
        Assert.Equal(Size - (3 * Chunk), emulator.Received("UploadPart") - sent);
        Assert.Equal((1, 0), (emulator.Count("CreateMultipartUpload"), emulator.OpenUploads("bucket")));
        var store = S3Stores.Open(emulator);
        Assert.Equal(Content(Size), await store.ReadAsync("bucket", "k"));
    }
}
