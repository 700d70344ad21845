using System.Globalization;

using Sisyphus.Engine.Queues;
using Sisyphus.Engine.Tasks;
using Sisyphus.Tests.Broker;
using Sisyphus.Tests.Integration.Execution;
using Sisyphus.Tests.Integration.Nodes.Stores;

using Xunit;

namespace Sisyphus.Tests.Integration.Nodes;

/// <summary>What the tests of nodes in processes of their own over a broker share, and what is looked at from outside when all is over.</summary>
[Collection(nameof(NodeBroker))]
public abstract class RabbitMqNodeTest(EngineFixture engine, ShellImageFixture shell, OwnBrokerFixture broker) : NodeTest(engine, shell, BrokerQueues.New(broker.Server.AmqpUri))
{
    /// <summary>Seconds.</summary>
    private protected const int Lease = 4;

    internal ExecutionLedger Ledger { get; private set; } = null!;

    private protected BrokerServer Server => broker.Server;

    public override async ValueTask InitializeAsync()
    {
        await base.InitializeAsync();
        Ledger = new ExecutionLedger(Client);
        Queue = TaskQueues.Open(Address, new QueueOptions { LeaseTime = TimeSpan.FromSeconds(Lease) });
    }

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        await Ledger.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    /// <summary>Sends tasks with an output each.</summary>
    /// <param name="seconds">How long they run, one after the other.</param>
    internal async Task<string[]> SendAsync(params double[] seconds)
    {
        string[] ids = [.. seconds.Select(_ => Guid.NewGuid().ToString("N"))];
        await SendAsync([.. ids.Zip(seconds, (id, pause) => Json(id, string.Create(CultureInfo.InvariantCulture, $"sleep {pause}; hostname > /out/x"), $$""", "outputs": {"b:{{id}}": "/out/x"}"""))]);
        return ids;
    }

    /// <summary>Lets the node end as a service manager does.</summary>
    internal static async Task EndAsync(NodeProcess node)
    {
        await node.SignalAsync("TERM");
        Assert.Equal(0, await node.EndAsync());
    }

    /// <summary>Of tasks that have ended when all nodes have: each once and well, with its decision, the file that it names and nothing beside them, and nothing waits on the broker.</summary>
    internal async Task AssertAllOverAsync(params string[] ids)
    {
        var events = await EventsAsync(ids);
        foreach (var id in ids)
        {
            Assert.Equal(TaskState.Complete, (await GetAsync(id)).State);
            Assert.Single(events, item => item.TaskId == id && item.Kind == QueueEventKind.TaskEnded);
            AssertPublishedWhole(id);
        }

        Assert.Equal(ids.Order(), Harness.Keys("b").Order());
        Assert.Empty(Harness.Runs());
        Assert.Equal(0, await Harness.CountContainersAsync());
        var left = "";
        await TestWait.UntilAsync(async () => (left = await LeftAsync()).Length == 0, TimeSpan.FromSeconds(20));
        Assert.Equal("", left);
    }

    /// <summary>Queues in which messages are, but for streams.</summary>
    private async Task<string> LeftAsync()
    {
        var prefix = Address.Split("prefix=")[1].Split('&')[0];
        var lines = (await Server.RunControlAsync("list_queues", "name", "messages", "type")).Split('\n').Select(line => line.Split('\t'));
        return string.Join(", ", lines.Where(cells => cells.Length == 3 && cells[0].StartsWith(prefix, StringComparison.Ordinal) && cells[2] != "stream" && cells[1] != "0").Select(cells => $"{cells[0]} {cells[1]}"));
    }
}
