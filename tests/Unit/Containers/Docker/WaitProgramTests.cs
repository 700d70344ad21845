using System.Formats.Tar;

using Sisyphus.Engine.Containers.Docker;
using Sisyphus.Engine.Tasks;

using Xunit;

namespace Sisyphus.Tests.Unit.Containers.Docker;

public sealed class WaitProgramTests
{
    [Theory]
    [InlineData("x86_64", 62)]
    [InlineData("amd64", 62)]
    [InlineData("aarch64", 183)]
    [InlineData("arm64", 183)]
    public async Task AsTarAsync_Architecture_HoldsASmallExecutableForIt(string architecture, int machine)
    {
        await using var stream = await WaitProgram.For(architecture).AsTarAsync(TestContext.Current.CancellationToken);
        await using var tar = new TarReader(stream);
        var entry = (await tar.GetNextEntryAsync(cancellationToken: TestContext.Current.CancellationToken))!;
        Assert.Equal((WaitProgram.Path[1..], (UnixFileMode)0x16D), (entry.Name, entry.Mode));
        Assert.InRange(entry.Length, 64, 2048);
        var header = new byte[20];
        entry.DataStream!.ReadExactly(header);
        // ELF, 64 bit, little endian, and e_machine.
        Assert.Equal([0x7F, (byte)'E', (byte)'L', (byte)'F', 2, 1], header[..6]);
        Assert.Equal(machine, header[18] | (header[19] << 8));
    }

    [Fact]
    public void For_OtherMachine_SaysWhichAreSupported()
    {
        var failure = Assert.Throws<TaskFailureException>(() => WaitProgram.For("riscv64"));
        Assert.Contains("riscv64", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Tag_EachProgram_HasItsOwn() => Assert.NotEqual(WaitProgram.For("x86_64").Tag, WaitProgram.For("aarch64").Tag);
}
