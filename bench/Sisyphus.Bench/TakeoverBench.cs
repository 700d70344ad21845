using System.Diagnostics;
using System.Globalization;
using Sisyphus.Engine.Queues;
using Sisyphus.Engine.Tasks;

namespace Sisyphus.Bench;

/// <summary>How long a task of a node that is killed waits for another: a process that holds and renews it gets SIGKILL, and a node that waits claims it.</summary>
internal static class TakeoverBench
{
    public static async Task<int> RunAsync(string address, int lease, int rounds)
    {
        var prefix = $"takeover-{Guid.NewGuid():N}"[..17];
        var own = $"{address}{(address.Contains('?', StringComparison.Ordinal) ? '&' : '?')}prefix={prefix}";
        var options = new QueueOptions { LeaseTime = TimeSpan.FromSeconds(lease), MaxLosses = 100 };
        await using var queue = TaskQueues.Open(own, options);
        var delays = new List<double>();
        for (var round = 0; round < rounds; round++)
        {
            await queue.SendAsync([QueueBench.Template with { Id = TaskId.New() }], CancellationToken.None);
            using var holder = Process.Start(new ProcessStartInfo(Environment.ProcessPath!, ["takeover-holder", own, lease.ToString(CultureInfo.InvariantCulture)]) { RedirectStandardOutput = true })!;
            await holder.StandardOutput.ReadLineAsync();
            await using var session = await queue.JoinAsync(Registration("heir"), CancellationToken.None);
            var claiming = session.ClaimAsync(ClaimRequest.Anything, CancellationToken.None);
            // Somewhere between two renewals.
            await Task.Delay(TimeSpan.FromSeconds(lease / 3.0 * (0.5 + Random.Shared.NextDouble())));
            if (claiming.IsCompleted)
                throw new InvalidOperationException("The task was claimed while it was held.");
            holder.Kill();
            var since = Stopwatch.GetTimestamp();
            var delivery = await claiming;
            delays.Add(Stopwatch.GetElapsedTime(since).TotalSeconds);
            await delivery.CompleteAsync(new TaskEnd { State = TaskState.Complete, Started = DateTimeOffset.UtcNow, Finished = DateTimeOffset.UtcNow }, CancellationToken.None);
        }
        delays.Sort();
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"lease time {lease} s, {rounds} kills: from SIGKILL to the claim by another node {delays[0]:0.0} to {delays[^1]:0.0} s, median {delays[delays.Count / 2]:0.0} s"));
        return 0;
    }

    /// <summary>Claims one task, says so, and renews it until it is killed.</summary>
    public static async Task<int> HoldAsync(string address, int lease)
    {
        await using var queue = TaskQueues.Open(address, new QueueOptions { LeaseTime = TimeSpan.FromSeconds(lease), MaxLosses = 100 });
        await using var session = await queue.JoinAsync(Registration("victim"), CancellationToken.None);
        var delivery = await session.ClaimAsync(ClaimRequest.Anything, CancellationToken.None);
        Console.WriteLine("held");
        while (await delivery.RenewAsync(CancellationToken.None) == LeaseState.Held)
            await Task.Delay(TimeSpan.FromSeconds(lease / 3.0));
        return 1;
    }

    private static NodeRegistration Registration(string name) => new(name, 1, 1, 1, "bench", TimeSpan.FromSeconds(10));
}
