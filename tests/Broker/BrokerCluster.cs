using System.Globalization;

namespace Sisyphus.Tests.Broker;

/// <summary>Three servers of one cluster on 127.0.0.1.</summary>
public sealed class BrokerCluster : IAsyncDisposable
{
    public const int Size = 3;

    private readonly PortMapper _mapper = new();

    public BrokerCluster() => Members = [.. Enumerable.Range(0, Size).Select(_ => new BrokerServer(new BrokerOptions { Mapper = _mapper }))];

    public IReadOnlyList<BrokerServer> Members { get; }

    /// <summary>Of all members, for the address of a client.</summary>
    public string Hosts => string.Join(',', Members.Select(member => string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{member.Port}")));

    public async Task StartAsync()
    {
        await _mapper.StartAsync();
        await Task.WhenAll(Members.Select(member => member.StartAsync()));
        // One after the other: two that join at once may wait for each other.
        foreach (var member in Members.Skip(1))
        {
            await member.StopAppAsync();
            await member.RunControlAsync("join_cluster", Members[0].NodeName);
            await member.StartAppAsync();
        }
    }

    /// <summary>SIGKILL to some at once, of which the others hear at once.</summary>
    public async Task KillAsync(params IEnumerable<BrokerServer> members)
    {
        await SyncAsync();
        await Task.WhenAll(members.Select(member => member.KillAsync()));
    }

    /// <summary>Starts those that are down, at once; data, ports and membership are as before.</summary>
    public Task StartMissingAsync() => Task.WhenAll(Members.Where(member => !member.IsRunning).Select(member => member.StartAsync()));

    /// <summary>The member with the leader of a stream or quorum queue, or with the only copy of a classic queue.</summary>
    public async Task<BrokerServer> FindHomeAsync(string queue)
    {
        var asked = Members.First(member => member.IsRunning);
        var name = await asked.EvalAsync($"{{ok, Q}} = rabbit_amqqueue:lookup(rabbit_misc:r(<<\"/\">>, queue, <<\"{queue}\">>)), amqqueue:qnode(Q)");
        return Members.Single(member => name.Contains(member.NodeName, StringComparison.Ordinal));
    }

    /// <summary>How many members have a copy of a stream or quorum queue.</summary>
    public async Task<int> CountCopiesAsync(string queue) => int.Parse(
        await Members.First(member => member.IsRunning).EvalAsync($"{{ok, Q}} = rabbit_amqqueue:lookup(rabbit_misc:r(<<\"/\">>, queue, <<\"{queue}\">>)), N = maps:get(nodes, amqqueue:get_type_state(Q)), if is_map(N) -> maps:size(N); true -> length(N) end"),
        CultureInfo.InvariantCulture);

    public async ValueTask DisposeAsync()
    {
        foreach (var member in Members)
            await member.DisposeAsync();
        await _mapper.DisposeAsync();
    }

    // 3.10.8 keeps names of queues and of Raft members in memory for seconds, and has forgotten those of the last ones when it is killed.
    private async Task SyncAsync()
    {
        foreach (var member in Members.Where(member => member.IsRunning))
        {
            await member.SyncMetadataAsync();
            await member.EvalAsync("lists:foreach(fun dets:sync/1, dets:all())");
        }
    }
}
