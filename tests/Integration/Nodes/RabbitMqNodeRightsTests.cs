using Sisyphus.Engine.Queues;
using Sisyphus.Engine.Tasks;
using Sisyphus.Tests.Broker;
using Sisyphus.Tests.Integration.Execution;

using Xunit;

namespace Sisyphus.Tests.Integration.Nodes;

/// <summary>Somebody takes a node's rights or its password away while it works, and gives them back after two leases.</summary>
public sealed class RabbitMqNodeRightsTests(EngineFixture engine, ShellImageFixture shell, OwnBrokerFixture broker) : RabbitMqNodeTest(engine, shell, broker)
{
    private const string Password = "secret-7f3a";
    private readonly string _user = $"u-{Guid.NewGuid():N}";

    [Fact]
    public Task RemoveRights_TasksRun_GoOnAndAreSettledWithThem() => CheckAsync(
        () => Server.SetPermissionsAsync(_user, "/", "^$", "^$", "^$"),
        () => Server.SetPermissionsAsync(_user, "/", ".*", ".*", ".*"),
        "may not");

    [Fact]
    public Task ChangePassword_TasksRun_GoOnAndAreSettledWithTheOldOne() => CheckAsync(
        async () =>
        {
            await ChangePasswordAsync("another");
            await Server.CloseAllConnectionsAsync("a test");
        },
        () => ChangePasswordAsync(Password),
        "with this password");

    [Fact]
    public async Task Start_WithoutRights_EndsAtOnceWithTheError()
    {
        await Server.AddUserAsync(_user, Password, "/", "^$", "^$", "^$");
        await using var node = StartProcess(AddressOfUser, Lease);
        Assert.Equal(3, await node.EndAsync());
        Assert.StartsWith($"{QueueFailure.Denied}: ", node.Errors, StringComparison.Ordinal);
        Assert.DoesNotContain(Password, node.Errors, StringComparison.Ordinal);
    }

    private string AddressOfUser => Address.Replace("guest:guest", $"{_user}:{Password}", StringComparison.Ordinal);

    private async Task CheckAsync(Func<Task> take, Func<Task> give, string told)
    {
        await Server.AddUserAsync(_user, Password, "/", ".*", ".*", ".*");
        var ids = await SendAsync(3, 10);
        await using var node = StartProcess(AddressOfUser, Lease, concurrency: 2);
        await Task.WhenAll(ids.Select(UntilRunningAsync));
        await take();
        // More than there is room for now, and one of those that run ends meanwhile.
        var later = await SendAsync(0.1, 0.1);
        await Task.Delay(TimeSpan.FromSeconds(8), Token);
        Assert.False(node.HasExited);
        await TestWait.UntilAsync(() => Task.FromResult(node.Errors.Contains($"{NodeState.Paused}: ", StringComparison.Ordinal) && node.Errors.Contains(told, StringComparison.Ordinal)), TimeSpan.FromSeconds(20));
        foreach (var id in later)
            Assert.Equal(TaskState.Queued, (await GetAsync(id)).State);
        await give();

        string[] all = [.. ids, .. later];
        await Task.WhenAll(all.Select(UntilEndedAsync));
        await EndAsync(node);
        Assert.DoesNotContain(Password, node.Errors, StringComparison.Ordinal);
        await AssertAllOverAsync(all);
        Assert.All(all, id => Assert.Equal(1, Ledger.Count(id)));
        TestContext.Current.TestOutputHelper?.WriteLine(node.Errors);
    }

    private Task<string> ChangePasswordAsync(string password) => Server.RunControlAsync("change_password", _user, password);
}
