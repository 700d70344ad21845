using System.Globalization;
using Sisyphus.Tests.StoreEmulator.Google;
using Sisyphus.Tests.Unit.Storage;
using Xunit;

namespace Sisyphus.Tests.Stores.Google;

public sealed class GoogleManyObjectsTests(ITestOutputHelper report)
{
    private const int Objects = 50_000;
    private const long MiB = 1024 * 1024;

    [Fact]
    public async Task CopyAndRemove_50000ObjectsUnderAPrefix_DoEachOnceAndHoldFewOfThem()
    {
        using var user = new TemporaryFolder();
        await using var emulator = await GoogleEmulator.StartAsync();
        emulator.CreateBucket("lab");
        emulator.Fill("lab", "many/", Objects);
        var watch = System.Diagnostics.Stopwatch.StartNew();
        // In a process of its own, so that its memory is not the emulator's.
        await using var process = new ModuleProcess(user, $$"""
            Connect-Sisyphus -Store 'gs:?project=p&endpoint={{emulator.Address.OriginalString.TrimEnd('/')}}'
            Copy-SisyphusObject lab:many/ lab:copies/ -Recurse
            Remove-SisyphusObject lab:many/ -Recurse
            [Diagnostics.Process]::GetCurrentProcess().PeakWorkingSet64
            """);

        var (code, output) = await process.EndAsync();

        report.WriteLine($"{watch.Elapsed.TotalSeconds:0.0} s, {output.Trim()} bytes");
        Assert.True(code == 0 && long.TryParse(output, NumberStyles.AllowLeadingWhite | NumberStyles.AllowTrailingWhite, CultureInfo.InvariantCulture, out var peak) && peak < 400 * MiB, output);
        Assert.Equal((Objects, Objects), (emulator.Count("copy"), emulator.Count("delete")));
        var left = emulator.Contents("lab");
        Assert.Equal(Objects, left.Count);
        Assert.All(left.Keys, key => Assert.StartsWith("copies/", key, StringComparison.Ordinal));
    }
}
