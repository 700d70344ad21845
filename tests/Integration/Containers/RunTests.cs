using Sisyphus.Engine.Containers;
using Sisyphus.Engine.Tasks;

using Xunit;

namespace Sisyphus.Tests.Integration.Containers;

/// <summary>Streams, arguments, exit codes: alike whether a command is the main process or run by exec.</summary>
public sealed class RunTests(EngineFixture fixture) : ContainerTest(fixture)
{
    private static readonly string[] Awkward = ["a b", "it's", "\"q\"", "$HOME", "`id`", "\\", "two\nlines", "", "*", "grüße 猫", "-n", " "];

    public static TheoryData<bool> BothWays => [true, false];

    [Theory, MemberData(nameof(BothWays))]
    public async Task RunAsync_AwkwardArguments_ArriveUnchanged(bool main)
    {
        var command = Tool(["printf", "[%s]", .. Awkward]);
        var finished = await RunEitherAsync(main, command);
        Assert.Equal(string.Concat(Awkward.Select(a => $"[{a}]")), finished.OutputText);
        Assert.Equal(0, finished.Exit.ExitCode);
    }

    [Theory, MemberData(nameof(BothWays))]
    public async Task RunAsync_OutputAndErrors_AreKeptApart(bool main)
    {
        var finished = await RunEitherAsync(main, Shell("echo out; echo err >&2; exit 3"));
        Assert.Equal(("out\n", "err\n", 3), (finished.OutputText, finished.ErrorText, finished.Exit.ExitCode));
        Assert.False(finished.Exit.OutOfMemory);
        Assert.InRange(finished.Exit.Finished - finished.Exit.Started, TimeSpan.Zero, TimeSpan.FromSeconds(20));
    }

    [Theory, MemberData(nameof(BothWays))]
    public async Task RunAsync_BinaryInput_ComesBackByteForByte(bool main)
    {
        var input = new byte[300_000];
        new Random(7).NextBytes(input);
        var finished = await RunEitherAsync(main, Tool("cat"), input);
        Assert.Equal(input, finished.Output);
        Assert.Empty(finished.Error);
    }

    [Theory, MemberData(nameof(BothWays))]
    public async Task RunAsync_NoInput_ProgramReadsAnEmptyOne(bool main)
    {
        var finished = await RunEitherAsync(main, Tool("wc", "-c"));
        Assert.Equal("0", finished.OutputText.Trim());
    }

    [Theory, MemberData(nameof(BothWays))]
    public async Task RunAsync_ProgramThatNeverReads_EndsAllTheSame(bool main)
    {
        // More than every buffer on the way takes.
        var finished = await RunEitherAsync(main, Tool("echo", "done"), new byte[16 << 20]);
        Assert.Equal("done\n", finished.OutputText);
    }

    [Theory, MemberData(nameof(BothWays))]
    public async Task RunAsync_InputThatNeverEnds_DoesNotOutliveTheProgram(bool main)
    {
        await using var container = await Engine.CreateContainerAsync(Spec(main ? Tool("head", "-c", "3") : null), Token);
        using var output = new MemoryStream();
        await container.RunAsync(Tool("head", "-c", "3"), new EndlessInput("abcdef"u8.ToArray()), output, Stream.Null, Token).WaitAsync(TimeSpan.FromSeconds(30), Token);
        Assert.Equal("abc"u8.ToArray(), output.ToArray());
    }

    [Theory, MemberData(nameof(BothWays))]
    public async Task RunAsync_KilledProcess_CodeIs128AndSignalAndNoMemoryIsBlamed(bool main)
    {
        var finished = await RunEitherAsync(main, Shell("sleep 60 & kill -9 $!; wait $!"), with: s => s with { Resources = new() { Memory = 64 << 20 } });
        Assert.Equal(137, finished.Exit.ExitCode);
        Assert.False(finished.Exit.OutOfMemory);
    }

    [Fact]
    public async Task RunAsync_SeveralCommands_ShareOneFileSystemWithoutAnyShell()
    {
        await using var container = await Engine.CreateContainerAsync(Spec(), Token);
        Assert.Equal(0, (await RunAsync(container, Tool("mkdir", "/data"))).Exit.ExitCode);
        Assert.Equal(0, (await RunAsync(container, Tool("dd", "of=/data/file"), "kept"u8.ToArray())).Exit.ExitCode);
        Assert.Equal("kept", (await RunAsync(container, Tool("cat", "/data/file"))).OutputText);
        Assert.Equal(1, (await RunAsync(container, Tool("false"))).Exit.ExitCode);
        Assert.Equal("file\n", (await RunAsync(container, Tool("ls", "/data"))).OutputText);
    }

    private async Task<Finished> RunEitherAsync(bool main, TaskCommand command, byte[]? input = null, Func<ContainerSpec, ContainerSpec>? with = null)
    {
        if (main)
            return await RunAsync(command, with, input);
        await using var container = await Engine.CreateContainerAsync(with?.Invoke(Spec()) ?? Spec(), Token);
        return await RunAsync(container, command, input);
    }

    // A source that has something and then neither more nor an end.
    private sealed class EndlessInput(byte[] first) : MemoryStream(first)
    {
        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            if (await base.ReadAsync(buffer, cancellationToken) is > 0 and var count)
                return count;
            await Task.Delay(Timeout.Infinite, cancellationToken);
            return 0;
        }
    }
}
