using Sisyphus.Engine.Tasks;

using Xunit;

namespace Sisyphus.Tests.Integration.Containers;

/// <summary>What never ran is told apart from what ran and failed, as main process and by exec.</summary>
public sealed class StartFailureTests(EngineFixture fixture) : ContainerTest(fixture)
{
    public static TheoryData<bool> BothWays => [true, false];

    [Theory, MemberData(nameof(BothWays))]
    public async Task RunAsync_ProgramNotInImage_NamesProgramAndImage(bool main)
    {
        var failure = await FailAsync(main, new(["/no/such program"]));
        Assert.Contains("\"/no/such program\" does not exist in the image " + Fixture.ImageReference, failure.Message, StringComparison.Ordinal);
        Assert.Contains("127", failure.Message, StringComparison.Ordinal);
    }

    [Theory, MemberData(nameof(BothWays))]
    public async Task RunAsync_BareNameNotInPath_NamesProgramAndImage(bool main)
    {
        var failure = await FailAsync(main, new(["nothere", "x"]));
        Assert.Contains("\"nothere\" does not exist", failure.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(true, "/etc/passwd")]
    [InlineData(false, "/etc/passwd")]
    [InlineData(true, "/etc")]
    [InlineData(false, "/etc")]
    public async Task RunAsync_NotExecutable_SaysSo(bool main, string program)
    {
        var failure = await FailAsync(main, new([program]), users: true);
        Assert.Contains($"\"{program}\" in the image", failure.Message, StringComparison.Ordinal);
        Assert.Contains("126", failure.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(true, "nobody-here")]
    [InlineData(false, "nobody-here")]
    [InlineData(true, "alice:nogroup")]
    [InlineData(false, "alice:nogroup")]
    public async Task RunAsync_UnknownUser_NamesTheUser(bool main, string user)
    {
        var failure = await FailAsync(main, Tool("true"), users: true, user: user);
        Assert.Contains($"The user \"{user}\" is not known in the image", failure.Message, StringComparison.Ordinal);
    }

    [Theory, MemberData(nameof(BothWays))]
    public async Task RunAsync_WorkingDirectoryIsAFile_NamesTheDirectory(bool main)
    {
        var failure = await FailAsync(main, Tool("true"), users: true, directory: "/etc/passwd");
        Assert.Contains("The working directory \"/etc/passwd\"", failure.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(true, 126)]
    [InlineData(true, 127)]
    [InlineData(false, 126)]
    [InlineData(false, 127)]
    public async Task RunAsync_ProgramExitsWithSuchACodeItself_IsItsExitCode(bool main, int code)
    {
        var command = Shell($"printf 'OCI runtime exec failed: exec failed: executable file not found in $PATH: unknown'; exit {code}");
        await using var container = await Engine.CreateContainerAsync(Spec(main ? command : null), Token);
        var finished = await RunAsync(container, command);
        Assert.Equal(code, finished.Exit.ExitCode);
        Assert.Equal("OCI runtime exec failed: exec failed: executable file not found in $PATH: unknown", finished.OutputText);
    }

    [Fact]
    public async Task RunAsync_AfterACommandThatCouldNotStart_ContainerStillWorks()
    {
        await using var container = await Engine.CreateContainerAsync(Spec(), Token);
        await Assert.ThrowsAsync<TaskFailureException>(() => RunAsync(container, new(["/nothing"])));
        Assert.Equal("on\n", (await RunAsync(container, Tool("echo", "on"))).OutputText);
    }

    [Fact]
    public async Task CreateContainerAsync_ImageGone_IsImageNotFound()
    {
        var failure = await Assert.ThrowsAsync<TaskFailureException>(() => Engine.CreateContainerAsync(Spec(Tool("true")) with { ImageId = "sha256:" + new string('0', 64) }, Token));
        Assert.Equal(FailureReason.ImageNotFound, failure.Reason);
    }

    [Fact]
    public async Task CreateContainerAsync_MountSourceMissing_BlamesTheMount()
    {
        var spec = Spec(Tool("true")) with { Mounts = [new("/no/such/folder", "/in")] };
        var failure = await Assert.ThrowsAsync<TaskFailureException>(() => Engine.CreateContainerAsync(spec, Token));
        Assert.Contains("/no/such/folder", failure.Message, StringComparison.Ordinal);
        Assert.Equal(FailureReason.EngineUnavailable, failure.Reason);
    }

    private async Task<TaskFailureException> FailAsync(bool main, TaskCommand command, bool users = false, string? user = null, string? directory = null)
    {
        var failure = await Assert.ThrowsAsync<TaskFailureException>(async () =>
        {
            var spec = Spec(main ? command : null) with { ImageId = users ? Fixture.ImageWithUsers : Fixture.Image, User = user, WorkingDirectory = directory };
            await using var container = await Engine.CreateContainerAsync(spec, Token);
            var finished = await RunAsync(container, command);
            Assert.Fail($"ended with {finished.Exit.ExitCode}, wrote {finished.OutputText}");
        });
        Assert.Equal(FailureReason.ExecutorExit, failure.Reason);
        return failure;
    }
}
