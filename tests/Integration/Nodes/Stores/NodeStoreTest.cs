using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

using Sisyphus.Engine.Queues;
using Sisyphus.Engine.Tasks;
using Sisyphus.Tests.Integration.Execution;

using Xunit;

namespace Sisyphus.Tests.Integration.Nodes.Stores;

/// <summary>What the tests of nodes in processes of their own, whose store is a service, share; and what is looked at from outside when all is over.</summary>
/// <param name="address">Of the queue, as <see cref="NodeTest"/> says.</param>
public abstract class NodeStoreTest(EngineFixture engine, ShellImageFixture shell, string? address = null) : NodeTest(engine, shell, address)
{
    /// <summary>Of nodes that are killed: the queue notices that in another way, and long before.</summary>
    private protected const int LongLease = 60;
    /// <summary>Of nodes that are stopped.</summary>
    private protected const int ShortLease = 3;

    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(60);

    internal ServiceStore Store { get; private protected set; } = null!;

    internal ExecutionLedger Ledger { get; private set; } = null!;

    private protected abstract Task<ServiceStore> StartStoreAsync();

    public override async ValueTask InitializeAsync()
    {
        await base.InitializeAsync();
        Store = await StartStoreAsync();
        Store.Put(ServiceStore.In, "in", "input\n"u8);
        Ledger = new ExecutionLedger(Client);
    }

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        await Ledger.DisposeAsync();
        await Store.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    internal NodeProcess StartNode(string name, int leaseSeconds = LongLease) => new(
        Store.Environment, Address, Store.Location, Harness.WorkDirectory, name, $"{leaseSeconds}", $"{QueueOptions.DefaultMaxLosses}", "1");

    /// <summary>Sends tasks with an input and three outputs, one of them of several chunks; each ends with a word of its execution.</summary>
    internal async Task<string[]> SendAsync(int count, int leaseSeconds = LongLease, string publish = "staged")
    {
        await Queue.DisposeAsync();
        Queue = TaskQueues.Open(Address, new QueueOptions { LeaseTime = TimeSpan.FromSeconds(leaseSeconds) });
        string[] ids = [.. Enumerable.Range(0, count).Select(_ => Guid.NewGuid().ToString("N"))];
        await SendAsync([.. ids.Select(id => Json(
            id,
            "t=$(cat /proc/sys/kernel/random/uuid); echo $t > /out/a; (cat /in; echo $t) > /out/b; (dd if=/dev/zero bs=1M count=9; echo $t) > /out/c",
            $$"""
            , "publish": "{{publish}}", "inputs": {"{{ServiceStore.In}}:in": "/in"}, "outputs": {{{string.Join(", ", ((string[])["a", "b", "c"]).Select(name => $"\"{ServiceStore.Out}:{Final(id, name)}\": \"/out/{name}\""))}}}
            """))]);
        return ids;
    }

    /// <summary>Waits for a fault to strike, but not for ever.</summary>
    private protected static Task UntilAsync(Task struck) => struck.WaitAsync(s_limit, Token);

    private protected static Task UntilAsync(Func<bool> condition) => TestWait.UntilAsync(() => Task.FromResult(condition()), s_limit);

    private protected bool IsThere(string key) => Store.Contents(ServiceStore.Out).ContainsKey(key);

    private protected static string Final(string id, string name) => $"final/{id}/{name}";

    private protected static string DecisionOf(string id) => $".sisyphus/{id}/published.json";

    /// <summary>Lets the node end as an operator does. It is told again until it hears: one that wakes has lost its place, and one that starts anew has a dead one's.</summary>
    internal async Task DrainAsync(NodeProcess node, string name)
    {
        await TestWait.UntilAsync(
            async () =>
            {
                await Queue.StopNodeAsync(name, NodeStop.Drain, Token);
                return node.HasExited;
            },
            s_limit);
        Assert.Equal(0, await node.EndAsync());
    }

    /// <summary>Stops the node, but not while it holds the queue's file: nobody could use that then.</summary>
    internal async Task StopAsync(NodeProcess node)
    {
        using var file = new QueueFileConnection(Address);
        file.Execute("BEGIN IMMEDIATE");
        await node.SignalAsync("STOP");
        await UntilAsync(() => node.IsStopped);
        file.Execute("COMMIT");
    }

    /// <summary>Starts a node again that was killed, until it has tidied up.</summary>
    internal async Task RestartAsync(string name)
    {
        await using var again = StartNode(name);
        await UntilAsync(() => Harness.Runs().Count == 1 && Store.Contents(ServiceStore.Out).Keys.All(key => !key.Contains("/outputs/", StringComparison.Ordinal)));
        await DrainAsync(again, name);
    }

    /// <summary>The tasks have ended well, once, with one decision, whose files are all there and nothing else.</summary>
    internal async Task AssertPublishedAsync(string[] ids, int executions)
    {
        foreach (var id in ids)
        {
            Assert.Equal(TaskState.Complete, (await GetAsync(id)).State);
            Assert.Single(await EventsAsync(id), item => item.Kind == QueueEventKind.TaskEnded);
            Assert.Equal(executions, Ledger.Count(id));
            AssertPublished(id);
        }

        // Whatever else is there is no task's.
        string[] expected = [.. ids.SelectMany(id => (string[])[Final(id, "a"), Final(id, "b"), Final(id, "c"), DecisionOf(id)]).Order(StringComparer.Ordinal)];
        // A service that denied everything for a while may have denied to remove what its answer to conditions was tried with.
        Assert.Equal(expected, Store.Contents(ServiceStore.Out).Keys.Where(key => key != ".sisyphus/~probe").Order(StringComparer.Ordinal));
    }

    internal JsonElement ReadDecision(string id) => JsonDocument.Parse(Store.Contents(ServiceStore.Out)[DecisionOf(id)]).RootElement;

    /// <summary>The last line of an output.</summary>
    private protected string WordOf(string id, string name) => WordOf(Store.Contents(ServiceStore.Out)[Final(id, name)]);

    /// <summary>Files that are not what the decision says of them.</summary>
    internal IReadOnlyList<string> Damaged(string id)
    {
        var contents = Store.Contents(ServiceStore.Out);
        return [.. ReadDecision(id).GetProperty("outputs").EnumerateArray()
            .Where(output => contents[output.GetProperty("key").GetString()!] is var content
                && (output.GetProperty("size").GetInt64() != content.LongLength || output.GetProperty("sha256").GetString() != Convert.ToHexStringLower(SHA256.HashData(content))))
            .Select(output => output.GetProperty("key").GetString()!)];
    }

    private void AssertPublished(string id)
    {
        var decision = ReadDecision(id);
        Assert.True(decision.GetProperty("done").GetBoolean());
        var outputs = decision.GetProperty("outputs").EnumerateArray().ToArray();
        Assert.Equal(["a", "b", "c"], outputs.Select(output => output.GetProperty("key").GetString()!.Split('/')[^1]).Order(StringComparer.Ordinal));
        Assert.Empty(Damaged(id));

        Assert.Single(((string[])["a", "b", "c"]).Select(name => WordOf(id, name)).Distinct());
    }

    private static string WordOf(byte[] content) => Encoding.ASCII.GetString(content.AsSpan(content.Length - "00000000-0000-0000-0000-000000000000\n".Length));
}
