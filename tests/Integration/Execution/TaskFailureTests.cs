using System.Formats.Tar;

using Docker.DotNet.Models;

using Sisyphus.Engine.Containers;
using Sisyphus.Engine.Execution;
using Sisyphus.Engine.Tasks;

using Xunit;

using TaskState = Sisyphus.Engine.Tasks.TaskState;

namespace Sisyphus.Tests.Integration.Execution;

public sealed class TaskFailureTests(EngineFixture engine, ShellImageFixture shell) : TaskTest(engine, shell)
{
    [Theory]
    [InlineData("/out/f", "out:f", "true", FailureReason.OutputMissing, "was not written")]
    [InlineData("/out/", "out:d/", "true", FailureReason.OutputMissing, "is empty")]
    [InlineData("/out/", "out:d/", "rmdir /out", FailureReason.OutputMissing, "was not written")]
    [InlineData("/out/*.csv", "out:d/", "echo > /out/x.txt", FailureReason.OutputMissing, "no regular file matches")]
    [InlineData("/out/f", "out:f", "ln -s /etc/passwd /out/f", FailureReason.OutputUnsafe, "symbolic link")]
    [InlineData("/out/f", "out:f", "mkdir /out/f", FailureReason.OutputUnsafe, "a directory")]
    [InlineData("/out/", "out:d/", "echo ok > /out/ok; ln -s /etc/passwd /out/link", FailureReason.OutputUnsafe, "symbolic link")]
    [InlineData("/out/", "out:d/", "mkfifo /out/pipe", FailureReason.OutputUnsafe, "FIFO")]
    [InlineData("/out/", "out:d/", "rmdir /out; ln -s /etc /out", FailureReason.OutputUnsafe, "symbolic link")]
    [InlineData("/out/", "out:d/", "echo > \\\"/out/$(printf '\\\\377')\\\"", FailureReason.OutputUnsafe, "not UTF-8")]
    public async Task Run_BadOutput_FailsAndPublishesNothing(string path, string remote, string script, FailureReason reason, string message)
    {
        var result = await Harness.RunAsync($$"""{"image": "{{Image}}", "outputs": {"{{remote}}": "{{path}}" }, "command": ["sh", "-c", "{{script}}"]}""");
        Assert.Equal(reason, result.Reason);
        Assert.Equal(TaskState.ExecutorError, result.State);
        Assert.Contains(message, result.Message, StringComparison.Ordinal);
        Assert.Empty(Harness.Keys("out"));
    }

    [Theory]
    [InlineData("""{"image": "IMAGE", "inputs": {"in:absent": "/in"}, "command": ["true"]}""", FailureReason.InputMissing, "in:absent")]
    [InlineData("""{"image": "IMAGE", "inputs": {"nowhere:x": "/in"}, "command": ["true"]}""", FailureReason.InputMissing, "bucket")]
    [InlineData("""{"image": "IMAGE", "inputs": {"in:empty/": "/in/"}, "command": ["true"]}""", FailureReason.InputMissing, "in:empty/")]
    [InlineData("""{"image": "IMAGE", "command": ["no-such-program"]}""", FailureReason.ExecutorExit, "no-such-program")]
    [InlineData("""{"image": "IMAGE", "commands": [{"command": ["true"]}, {"command": ["no-such-program"]}]}""", FailureReason.ExecutorExit, "no-such-program")]
    [InlineData("""{"image": "IMAGE", "command": ["/etc/passwd"]}""", FailureReason.ExecutorExit, "/etc/passwd")]
    [InlineData("""{"image": "IMAGE", "user": "nobody-knows", "command": ["true"]}""", FailureReason.ExecutorExit, "nobody-knows")]
    [InlineData("""{"image": "IMAGE", "command": ["cat"], "stdin": "/no/such/file"}""", FailureReason.InputMissing, "/no/such/file")]
    public async Task Run_BadReference_FailsWithTheReasonAndTheName(string json, FailureReason reason, string named)
    {
        Harness.Put("in", "something", "x");
        var result = await Harness.RunAsync(json.Replace("IMAGE", Image, StringComparison.Ordinal), options => options.Policy = new NodePolicy { AllowUser = true });
        Assert.Equal(reason, result.Reason);
        Assert.Contains(named, result.Message, StringComparison.Ordinal);
        Assert.Equal(1, result.Attempts);
    }

    [Fact]
    public async Task Run_ImageUnknown_FailsAtOnce()
    {
        var result = await Harness.RunAsync("""{"image": "localhost/no-such-image:ever", "command": ["true"]}""", options => options.PullPolicy = PullPolicy.Never);
        Assert.Equal(FailureReason.ImageNotFound, result.Reason);
    }

    [Fact]
    public async Task Run_UserChosenWithoutPolicy_IsDenied()
    {
        var result = await Harness.RunAsync($$"""{"image": "{{Image}}", "user": "54321", "command": ["true"]}""");
        Assert.Equal(FailureReason.PolicyDenied, result.Reason);
    }

    [Fact]
    public async Task Run_DeviceInAnOutputTree_FailsAndPublishesNothing()
    {
        // A container without capabilities can't make one, so the image brings it.
        var image = $"sisyphus-test-{Guid.NewGuid().ToString("n")[..12]}:device";
        await ImportAsync(image, async tar =>
        {
            await using var program = File.OpenRead(EngineFixture.Tool);
            await tar.WriteEntryAsync(new PaxTarEntry(TarEntryType.RegularFile, EngineFixture.Tool[1..]) { DataStream = program, Mode = (UnixFileMode)0b111_101_101 });
            await tar.WriteEntryAsync(new PaxTarEntry(TarEntryType.CharacterDevice, "out/null") { DeviceMajor = 1, DeviceMinor = 3 });
        });
        try
        {
            var result = await Harness.RunAsync($$"""{"image": "{{image}}", "outputs": {"out:d/": "/out/"}, "command": ["{{EngineFixture.Tool}}", "true"]}""");
            Assert.Equal((TaskState.ExecutorError, FailureReason.OutputUnsafe), (result.State, result.Reason));
            Assert.Contains("/out/null is a device", result.Message, StringComparison.Ordinal);
            Assert.Empty(Harness.Keys("out"));
        }
        finally
        {
            await Client.Images.DeleteImageAsync(image, new() { Force = true }, TestContext.Current.CancellationToken);
        }
    }

    private async Task ImportAsync(string image, Func<TarWriter, Task> write)
    {
        using var tar = new MemoryStream();
        await using (var writer = new TarWriter(tar, leaveOpen: true))
            await write(writer);
        tar.Position = 0;
        var name = image.Split(':');
        await Client.Images.CreateImageAsync(new ImagesCreateParameters { Repo = name[0], Tag = name[1] }, tar, null, new Progress<JSONMessage>(), TestContext.Current.CancellationToken);
    }
}
