using System.Diagnostics;
using System.Globalization;
using System.Text;
using Sisyphus.Engine.Queues;
using Sisyphus.Engine.Tasks;

namespace Sisyphus.Bench;

/// <summary>Sends, claims and wakes of a queue file.</summary>
internal static class QueueBench
{
    private const int BatchSize = 500;
    public static readonly TaskDocument Template = TaskDocumentReader.ReadAll(Encoding.UTF8.GetBytes(
        """{"image": "alpine:latest", "inputs": {"sisyphus:data/clear": "/mnt/clear"}, "outputs": {"sisyphus:data/crypt": "/mnt/crypt"}, "commands": [{"command": ["md5sum", "/mnt/clear"], "stdout": "/mnt/crypt"}]}"""))[0];

    public static async Task<int> RunAsync(string folder)
    {
        Directory.CreateDirectory(folder);
        var path = Path.Combine(folder, $"bench-{Guid.NewGuid():N}", "queue.db");
        try
        {
            await MeasureAsync(path);
            return 0;
        }
        finally
        {
            Directory.Delete(Path.GetDirectoryName(path)!, recursive: true);
        }
    }

    /// <summary>The other process of the latency: sends a task every 50 ms, which says in its name when it was confirmed and sent.</summary>
    public static async Task<int> SendSlowlyAsync(string path, int count)
    {
        await using var queue = TaskQueues.Open("sqlite:" + path);
        for (var i = 0; i < count; i++)
        {
            await Task.Delay(50);
            await queue.SendAsync([Template with { Id = TaskId.New(), Name = Stopwatch.GetTimestamp().ToString(CultureInfo.InvariantCulture) }], CancellationToken.None);
        }
        return 0;
    }

    private static async Task MeasureAsync(string path)
    {
        await using var queue = TaskQueues.Open("sqlite:" + path);
        await using var session = await queue.JoinAsync(new NodeRegistration("bench", 1, 1, 1, "bench", TimeSpan.FromMinutes(5)), CancellationToken.None);

        await RateAsync("send, one by one", 1000, _ => queue.SendAsync([Make()], CancellationToken.None));
        await RateAsync("claim + complete", 1000, async _ => await CompleteAsync(await session.ClaimAsync(ClaimRequest.Anything, CancellationToken.None)));
        await LatencyAsync(session, path);
        await SendAsync(queue, 1000);
        await DepthAsync(session, queue);
        await RateAsync($"send, batches of {BatchSize}", 20, _ => SendAsync(queue, BatchSize), BatchSize);
        for (var batch = 0; batch < 99; batch++)
            await SendAsync(queue, 10_000);
        await DepthAsync(session, queue);
    }

    private static async Task LatencyAsync(INodeSession session, string path)
    {
        const int Count = 200;
        using var sender = Process.Start(Environment.ProcessPath!, ["queue-sender", path, Count.ToString(CultureInfo.InvariantCulture)]);
        var delays = new List<double>();
        for (var i = 0; i < Count; i++)
        {
            var delivery = await session.ClaimAsync(ClaimRequest.Anything, CancellationToken.None);
            delays.Add(Stopwatch.GetElapsedTime(long.Parse(delivery.Document.Name!, CultureInfo.InvariantCulture)).TotalMilliseconds);
            await CompleteAsync(delivery);
        }
        await sender.WaitForExitAsync();
        Tell("from the call of send in another process to the claim", delays);
    }

    private static async Task DepthAsync(INodeSession session, ITaskQueue queue)
    {
        var depth = (await queue.GetInfoAsync(CancellationToken.None)).Ready;
        var delays = new List<double>();
        for (var i = 0; i < 200; i++)
        {
            var since = Stopwatch.GetTimestamp();
            var delivery = await session.ClaimAsync(ClaimRequest.Anything, CancellationToken.None);
            delays.Add(Stopwatch.GetElapsedTime(since).TotalMilliseconds);
            await CompleteAsync(delivery);
        }
        Tell($"claim of {depth} ready", delays);
    }

    private static Task<IReadOnlyList<SendOutcome>> SendAsync(ITaskQueue queue, int count) =>
        queue.SendAsync([.. Enumerable.Range(0, count).Select(_ => Make())], CancellationToken.None);

    private static TaskDocument Make() => Template with { Id = TaskId.New() };

    private static Task<bool> CompleteAsync(IDelivery delivery) =>
        delivery.CompleteAsync(new TaskEnd { State = TaskState.Complete, Started = DateTimeOffset.UtcNow, Finished = DateTimeOffset.UtcNow }, CancellationToken.None);

    private static async Task RateAsync(string what, int count, Func<int, Task> act, int each = 1)
    {
        var since = Stopwatch.GetTimestamp();
        for (var i = 0; i < count; i++)
            await act(i);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{what}: {count * each / Stopwatch.GetElapsedTime(since).TotalSeconds:0} a second"));
    }

    private static void Tell(string what, List<double> delays)
    {
        delays.Sort();
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{what}: median {delays[delays.Count / 2]:0.00} ms, p95 {delays[delays.Count * 95 / 100]:0.00} ms, most {delays[^1]:0.00} ms"));
    }
}
