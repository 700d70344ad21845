using System.Security.Cryptography;

using Sisyphus.Engine.Execution;
using Sisyphus.Engine.Tasks;
using Sisyphus.Tests.StoreEmulator.Web;

using Xunit;

namespace Sisyphus.Tests.Integration.Execution;

/// <summary>Whole tasks whose inputs come from a web server.</summary>
public sealed class TaskWebTests(EngineFixture engine, ShellImageFixture shell) : TaskTest(engine, shell)
{
    private static readonly byte[] Content = "from the web\n"u8.ToArray();
    private static readonly string Sum = Convert.ToHexStringLower(SHA256.HashData(Content));
    private WebServer _web = null!;

    public override async ValueTask InitializeAsync()
    {
        _web = await WebServer.StartAsync();
        _web.Files["/f?sig=secret"] = new WebFile(Content) { ETag = "\"1\"" };
    }

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        await _web.DisposeAsync();
    }

    [Fact]
    public async Task Run_InputWithADeclaredChecksum_IsFetchedAndItsQueryIsNowhere()
    {
        var result = await RunAsync(Sum, _web.Host);
        AssertComplete(result);
        Assert.Equal("from the web\n", Harness.Get("b", "o"));
        var written = Directory.EnumerateFiles(Harness.StoreRoot, "*", SearchOption.AllDirectories).Select(File.ReadAllText).ToList();
        Assert.Contains(written, text => text.Contains($"http://{_web.Host}/f", StringComparison.Ordinal));
        Assert.DoesNotContain(written, text => text.Contains("secret", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Run_OtherContentThanDeclared_IsInputCorruptWithoutAnotherAttempt()
    {
        var result = await RunAsync(new string('0', 64), _web.Host);
        Assert.Equal((TaskState.SystemError, FailureReason.InputCorrupt, 1), (result.State, result.Reason, result.Attempts));
        Assert.Contains(Sum, result.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", result.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Run_HostThatThePolicyDoesNotName_IsDenied()
    {
        var result = await RunAsync(Sum);
        Assert.Equal((TaskState.SystemError, FailureReason.PolicyDenied), (result.State, result.Reason));
        Assert.Empty(_web.Requests);
    }

    private Task<TaskResult> RunAsync(string sha256, params string[] hosts) => Harness.RunAsync(
        $$"""
        {"image": "{{Image}}", "inputs": {"http://{{_web.Host}}/f?sig=secret": {"path": "/in", "sha256": "{{sha256}}"} },
         "outputs": {"b:o": ">", "b:log": ">>"}, "command": ["cat", "/in"]}
        """,
        options => options.Policy = new NodePolicy { HttpHosts = hosts });
}
