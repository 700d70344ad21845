using Sisyphus.Engine.Storage.Google;
using Sisyphus.Tests.Integration;
using Sisyphus.Tests.StoreEmulator.Faults;
using Sisyphus.Tests.StoreEmulator.Google;
using Sisyphus.Tests.Unit.Storage;
using Xunit;
using static Sisyphus.Tests.Unit.Storage.StoreAssertions;

namespace Sisyphus.Tests.Stores.Google;

public sealed class GoogleKilledCopyTests
{
    private const int Chunk = GoogleUpload.DefaultChunkSize;
    private const int Size = (6 * Chunk) + 1000;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    // In the middle of the fourth chunk, which the service has not taken yet; and after the last, of which nobody heard that it was taken.
    [InlineData(FaultKind.Held, 3, 3 * Chunk)]
    [InlineData(FaultKind.Silent, 6, Size)]
    public async Task Copy_Killed_TheNextProcessSendsOnlyTheRest(FaultKind kind, int goesWell, int kept)
    {
        using var folder = new TemporaryFolder();
        await using var emulator = await GoogleEmulator.StartAsync();
        emulator.CreateBucket("bucket");
        await File.WriteAllBytesAsync(folder["file"], Content(Size), Token);
        var script = $"Connect-Sisyphus -Store 'gs:?project=p&endpoint={emulator.Address.OriginalString.TrimEnd('/')}'; Copy-SisyphusObject '{folder["file"]}' bucket:k";
        var fault = new Fault("upload.chunk", kind, skip: goesWell);
        emulator.Inject(fault);

        await using (var first = new ModuleProcess(folder, script))
        {
            await fault.Struck.WaitAsync(TimeSpan.FromMinutes(1), Token);
            await TestWait.UntilAsync(() => Task.FromResult(emulator.OpenUploads == (kept == Size ? 0 : 1)), TimeSpan.FromMinutes(1));
            await first.KillAsync();
        }
        fault.Release();
        var journal = Assert.Single(Directory.GetDirectories(folder.Path, "uploads", SearchOption.AllDirectories));
        Assert.Single(Directory.GetFiles(journal));
        emulator.ForgetRequests();

        await using var second = new ModuleProcess(folder, script);
        Assert.Equal((0, ""), await second.EndAsync() is var (code, output) ? (code, output.Trim()) : default);

        Assert.Equal(Size - kept, emulator.Received("upload.chunk"));
        Assert.Equal(0, emulator.Count("upload.start"));
        Assert.Equal(Content(Size), emulator.Contents("bucket")["k"]);
        Assert.Empty(Directory.GetFiles(journal));
    }
}
