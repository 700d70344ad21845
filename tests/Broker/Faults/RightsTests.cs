using Sisyphus.Engine.Queues;
using Xunit;

namespace Sisyphus.Tests.Broker.Faults;

/// <summary>Somebody takes the rights, the password or the virtual host away while nodes run, and gives them back.</summary>
public sealed class RightsTests(OwnBrokerFixture fixture) : IClassFixture<OwnBrokerFixture>
{
    private const string Password = "secret-7f3a";

    private BrokerServer Server => fixture.Server;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task RemoveRights_WhileRunning_IsToldAndGoesOnWithThem()
    {
        var host = await NewHostAsync();
        var address = await Server.AddUserAsync($"u-{host}", Password, host, ".*", ".*", ".*");
        await CheckAsync(
            host,
            address,
            () => Server.SetPermissionsAsync($"u-{host}", host, "^$", "^$", "^$"),
            () => Server.SetPermissionsAsync($"u-{host}", host, ".*", ".*", ".*"),
            "rights removed for 8 s");
    }

    [Fact]
    public async Task ChangePassword_WhileRunning_IsToldAndGoesOnWithTheOldOne()
    {
        var host = await NewHostAsync();
        var address = await Server.AddUserAsync($"u-{host}", Password, host, ".*", ".*", ".*");
        await CheckAsync(
            host,
            address,
            async () =>
            {
                await ChangePasswordAsync($"u-{host}", "another");
                await Server.CloseAllConnectionsAsync("a test");
            },
            () => ChangePasswordAsync($"u-{host}", Password),
            "password changed and connections closed for 8 s");
    }

    [Fact]
    public async Task RemoveUserFromVirtualHost_WhileRunning_IsToldAndGoesOnWithIt()
    {
        var host = await NewHostAsync();
        var address = await Server.AddUserAsync($"u-{host}", Password, host, ".*", ".*", ".*");
        await CheckAsync(
            host,
            address,
            async () =>
            {
                await Server.RunControlAsync("clear_permissions", "-p", host, $"u-{host}");
                await Server.CloseAllConnectionsAsync("a test");
            },
            () => Server.SetPermissionsAsync($"u-{host}", host, ".*", ".*", ".*"),
            "virtual host refused and connections closed for 8 s");
    }

    [Fact]
    public async Task DeleteVirtualHost_MadeAgain_HeldTasksEndAndNewOnesRun()
    {
        var host = await NewHostAsync();
        var address = await Server.AddUserAsync($"u-{host}", Password, host, ".*", ".*", ".*");
        await using var work = new Workload(Server, TimeSpan.FromSeconds(6), address, virtualHost: host) { Hold = _ => TimeSpan.FromSeconds(8) };
        var nodes = new[] { await work.JoinAsync("a", 3), await work.JoinAsync("b", 3) };
        await work.SendAsync(6);
        await work.StartedAsync(6);
        await work.ReadAsync();
        await Server.RunControlAsync("delete_vhost", host);
        await work.UntilAsync(() => nodes.All(node => node.LastTrouble is not null), 20, () => "Nobody misses the virtual host.");
        Assert.All(nodes, node => Assert.DoesNotContain(Password, node.LastTrouble!.Message, StringComparison.Ordinal));
        await Server.AddVirtualHostAsync(host);
        await Server.SetPermissionsAsync($"u-{host}", host, ".*", ".*", ".*");
        await work.AssertHearsAsync(20);
        work.Report("virtual host deleted and made again", await work.FinishAsync(losses: 1));
    }

    private async Task CheckAsync(string host, Uri address, Func<Task> take, Func<Task> give, string fault)
    {
        await using var work = new Workload(Server, TimeSpan.FromSeconds(6), address, virtualHost: host) { Hold = id => TimeSpan.FromSeconds(id.EndsWith('0') ? 14 : 3) };
        var nodes = new[] { await work.JoinAsync("a", 3), await work.JoinAsync("b", 3) };
        await work.SendAsync(10);
        await work.StartedAsync(5);
        await take();
        await Task.Delay(TimeSpan.FromSeconds(8), Token);
        foreach (var node in nodes)
        {
            Assert.NotNull(node.LastTrouble);
            Assert.DoesNotContain(Password, node.LastTrouble.Message, StringComparison.Ordinal);
        }
        Assert.Contains(nodes, node => node.LastTrouble!.Failure == QueueFailure.Denied);
        await give();
        await work.AssertHearsAsync(20);
        work.Report(fault, await work.FinishAsync(losses: 1));
    }

    private async Task<string> NewHostAsync()
    {
        var name = "v-" + Guid.NewGuid().ToString("N")[..8];
        await Server.AddVirtualHostAsync(name);
        return name;
    }

    private Task<string> ChangePasswordAsync(string user, string password) => Server.RunControlAsync("change_password", user, password);
}
