using System.Diagnostics;
using System.Globalization;
using RabbitMQ.Client;
using Sisyphus.Engine.Queues;
using Sisyphus.Engine.Tasks;

namespace Sisyphus.Bench;

/// <summary>Sends over a broker beside what the broker does for a plain client, alternating; claims and cancels.</summary>
internal static class BrokerBench
{
    private const int Count = 10_000;
    private const int Rounds = 3;
    private const int BatchSize = 500;
    private const int Unconfirmed = 512;

    public static async Task<int> RunAsync(string address)
    {
        foreach (var kind in (string[])["classic", "quorum"])
            await MeasureAsync(address, kind);
        return 0;
    }

    private static async Task MeasureAsync(string address, string kind)
    {
        var prefix = $"bench-{Guid.NewGuid():N}"[..16];
        await using var queue = TaskQueues.Open($"{address}{(address.Contains('?', StringComparison.Ordinal) ? '&' : '?')}prefix={prefix}&queues={kind}");
        await using var connection = await new ConnectionFactory { Uri = new Uri(address.Split('?')[0]) }.CreateConnectionAsync();
        await using var channel = await connection.CreateChannelAsync(new CreateChannelOptions(true, true, null, 1));
        var plain = prefix + ".plain";
        await channel.QueueDeclareAsync(plain, true, false, false, kind == "quorum" ? new Dictionary<string, object?> { ["x-queue-type"] = "quorum" } : null);
        await queue.SendAsync([Make()], CancellationToken.None);
        for (var round = 1; round <= Rounds; round++)
        {
            var client = await RateAsync(Count, () => PublishAsync(channel, plain));
            var batches = await RateAsync(Count, () => SendAsync(queue, BatchSize));
            var all = await RateAsync(Count, () => SendAsync(queue, Count));
            Tell($"{kind}, round {round}: plain client {client:0} messages a second, send in batches of {BatchSize} {batches:0} tasks ({batches / client:0.00}), in one batch {all:0} ({all / client:0.00})");
        }
        Tell($"{kind}: send, one by one {await RateAsync(300, () => SendAsync(queue, 300, 1)):0} a second");
        await using (var session = await queue.JoinAsync(new NodeRegistration("bench", 1, 1, 1, "bench", TimeSpan.FromMinutes(5)), CancellationToken.None))
        {
            var claims = await RateAsync(300, () => ClaimAsync(session, 300));
            Tell($"{kind}: claim + complete {claims:0} a second");
            await CancelAsync(queue, session, kind);
        }
        foreach (var name in (string[])["-queue", "-queue.front", ".plain", ".events", ".heartbeats", ".returns", ".dead", ".lease.bench"])
            await channel.QueueDeleteAsync(prefix + name, false, false);
        await channel.ExchangeDeleteAsync(prefix + ".bus");
        await channel.ExchangeDeleteAsync(prefix + "-exchange");
    }

    private static async Task CancelAsync(ITaskQueue queue, INodeSession session, string kind)
    {
        var delays = new List<double>();
        await using var signals = session.ReadSignalsAsync(CancellationToken.None).GetAsyncEnumerator();
        for (var i = 0; i < 20; i++)
        {
            var delivery = await session.ClaimAsync(ClaimRequest.Anything, CancellationToken.None);
            var since = Stopwatch.GetTimestamp();
            var canceling = queue.CancelAsync([delivery.Document.Id!], CancellationToken.None);
            await signals.MoveNextAsync();
            delays.Add(Stopwatch.GetElapsedTime(since).TotalMilliseconds);
            await canceling;
            await delivery.CompleteAsync(new TaskEnd { State = TaskState.Canceled, Reason = FailureReason.Canceled, Started = DateTimeOffset.UtcNow, Finished = DateTimeOffset.UtcNow }, CancellationToken.None);
        }
        delays.Sort();
        Tell($"{kind}: from the call of cancel to the node, median {delays[delays.Count / 2]:0.0} ms, most {delays[^1]:0.0} ms");
    }

    private static async Task PublishAsync(IChannel channel, string queue)
    {
        var properties = new BasicProperties { DeliveryMode = DeliveryModes.Persistent };
        var body = new byte[1024];
        using var free = new SemaphoreSlim(Unconfirmed);
        await Task.WhenAll(Enumerable.Range(0, Count).Select(async _ =>
        {
            await free.WaitAsync();
            await channel.BasicPublishAsync("", queue, true, properties, body);
            free.Release();
        }));
    }

    private static Task SendAsync(ITaskQueue queue, int batch) => SendAsync(queue, Count, batch);

    private static async Task SendAsync(ITaskQueue queue, int count, int batch)
    {
        for (var sent = 0; sent < count; sent += batch)
        {
            var outcomes = await queue.SendAsync([.. Enumerable.Range(0, batch).Select(_ => Make())], CancellationToken.None);
            if (outcomes.FirstOrDefault(outcome => outcome.Result != SendResult.Sent) is { } failed)
                throw new InvalidOperationException($"{failed.Result}: {failed.Message}");
        }
    }

    private static async Task ClaimAsync(INodeSession session, int count)
    {
        for (var i = 0; i < count; i++)
            await (await session.ClaimAsync(ClaimRequest.Anything, CancellationToken.None)).CompleteAsync(new TaskEnd { State = TaskState.Complete, Started = DateTimeOffset.UtcNow, Finished = DateTimeOffset.UtcNow }, CancellationToken.None);
    }

    /// <summary>A document of 1 KiB.</summary>
    private static TaskDocument Make() => QueueBench.Template with { Id = TaskId.New(), Tags = new Dictionary<string, string> { ["padding"] = new('x', 700) } };

    private static async Task<double> RateAsync(int count, Func<Task> act)
    {
        var since = Stopwatch.GetTimestamp();
        await act();
        return count / Stopwatch.GetElapsedTime(since).TotalSeconds;
    }

    private static void Tell(FormattableString line) => Console.WriteLine(line.ToString(CultureInfo.InvariantCulture));
}
