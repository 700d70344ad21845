using Sisyphus.Engine.Containers;
using Sisyphus.Engine.Execution;
using Sisyphus.Engine.Tasks;

using Xunit;

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
}
