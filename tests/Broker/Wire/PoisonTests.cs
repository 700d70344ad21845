using System.Diagnostics;
using System.Globalization;
using Sisyphus.Engine.Queues;
using Sisyphus.Engine.Tasks;
using Sisyphus.Tests.Broker.Foreign;
using Xunit;

namespace Sisyphus.Tests.Broker.Wire;

/// <summary>What is no task is claimed by nobody, and stops nobody.</summary>
public sealed class PoisonTests(BrokerFixture fixture, ITestOutputHelper output) : WireTest(fixture)
{
    private const int MostDeliveries = 2;
    private const int Large = 50 << 20;
    /// <summary>Less than the time limit of one call, which nothing may wait for; a machine that is busy takes seconds for each connection.</summary>
    private static readonly TimeSpan s_removalLimit = TimeSpan.FromSeconds(18);

    public static TheoryData<string> Kinds => [.. Poison.All.Keys];

    [Theory, MemberData(nameof(Kinds))]
    public async Task Claim_Poison_BecomesADeadLetterAndTheNextTaskIsClaimed(string name)
    {
        var poison = Poison.All[name];
        var session = await JoinAsync();
        var claiming = ClaimAsync(session);
        await PublishAsync(Main, poison.Body, poison.Properties);
        await PublishAsync(Main, GoodDocument);
        var since = Stopwatch.GetTimestamp();
        var good = await claiming;
        Assert.Equal("good", good.Document.Id);
        Assert.InRange(Stopwatch.GetElapsedTime(since), TimeSpan.Zero, TimeSpan.FromSeconds(5));
        await good.CompleteAsync(Complete(), Token);
        await AssertNothingToClaimAsync(session);

        var letter = Assert.Single(await LettersAsync());
        Assert.Equal(("poison", TaskState.SystemError, FailureReason.InvalidDocument), (letter.Id, letter.State, letter.Reason));
        Assert.Contains(poison.Says, letter.Message, StringComparison.OrdinalIgnoreCase);
        Assert.InRange(letter.Message.Length, 1, 5000);
        var delivered = (await DeliveriesAsync()).Where(delivery => delivery.Id == "poison" && delivery.Queue != "sisyphus.dead").ToArray();
        Assert.InRange(delivered.Length, 1, MostDeliveries);
        Assert.Equal((0, 0), (await CountAsync(Main), await CountAsync(Main + ".front")));
        output.WriteLine($"{name}: {delivered.Length} delivery, {letter.Message[..Math.Min(letter.Message.Length, 200)]}");
    }

    [Fact]
    public async Task Claim_FiftyMebibytes_BecomesADeadLetterInBoundedMemory()
    {
        var session = await JoinAsync();
        var claiming = ClaimAsync(session);
        var file = Path.GetTempFileName();
        try
        {
            await using (var stream = File.OpenWrite(file))
            {
                await stream.WriteAsync("{\"image\": \""u8.ToArray(), Token);
                var part = new byte[1 << 20];
                part.AsSpan().Fill((byte)'a');
                for (var written = 0; written < Large; written += part.Length)
                    await stream.WriteAsync(part, Token);
            }
            var before = Measure(reset: true);
            await PikaClient.SendAsync(Address, "", Main, file, "application/json", persistent: true);
            await PublishAsync(Main, GoodDocument);
            Assert.Equal("good", (await claiming).Document.Id);
            var peak = Measure(reset: false);
            output.WriteLine($"Resident set before {before >> 20} MiB, at its peak {peak >> 20} MiB.");
            Assert.InRange(peak - before, 0, 6L * Large);
        }
        finally
        {
            File.Delete(file);
        }
        var letter = Assert.Single(await LettersAsync());
        Assert.Contains("52,428,811 bytes", letter.Message, StringComparison.Ordinal);
        Assert.Equal(1 << 20, letter.Document.Length);
        Assert.InRange((await DeliveriesAsync()).Count(delivery => delivery.Queue == Main), 2, 4);
    }

    [Fact]
    public async Task Claim_HeadersThatTheClientCannotRead_AreRemoved()
    {
        var since = Stopwatch.GetTimestamp();
        var session = await JoinAsync();
        var claiming = ClaimThroughLossesAsync(session);
        await PublishUnreadableAsync(Main);
        await PublishAsync(Main, GoodDocument);
        var task = await claiming;
        Assert.Equal("good", task.Document.Id);
        var passed = Stopwatch.GetElapsedTime(since);
        output.WriteLine($"Claimed after {passed}.");
        Assert.InRange(passed, TimeSpan.Zero, s_removalLimit);
        Assert.True(await task.CompleteAsync(Complete(), Token));
        var letter = Assert.Single(await LettersAsync());
        Assert.Contains("can't be read", letter.Message, StringComparison.Ordinal);
        Assert.Equal(0, await CountAsync(Main));
    }

    [Fact]
    public async Task Letter_HeadersThatTheClientCannotRead_IsRemoved()
    {
        Assert.Empty(await LettersAsync());
        await PublishUnreadableAsync(Names.Dead);
        // Its place is taken by one that says so.
        Assert.Contains("can't be read", Assert.Single(await LettersAsync().WaitAsync(s_removalLimit, Token)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task JoinAsync_HeadersThatTheClientCannotReadAmongTheLeases_JoinsWithoutThem()
    {
        await (await JoinAsync()).DisposeAsync();
        await PublishUnreadableAsync("sisyphus.lease.node-1@6s");
        var session = await JoinAsync();
        var claiming = ClaimAsync(session);
        await PublishAsync(Main, GoodDocument);
        Assert.Equal("good", (await claiming).Document.Id);
        Assert.Contains("can't be read", Assert.Single(await LettersAsync()).Message, StringComparison.Ordinal);
    }

    private static async Task<IDelivery> ClaimThroughLossesAsync(INodeSession session)
    {
        for (var tries = 1; ; tries++)
        {
            try
            {
                return await ClaimAsync(session);
            }
            catch (QueueException error) when (error.Failure == QueueFailure.Unavailable && tries < 10)
            {
                await Task.Delay(500, Token);
            }
        }
    }

    [Fact]
    public async Task Resume_Poison_BecomesADeadLetterAgain()
    {
        var session = await JoinAsync();
        await PublishAsync(Main, "hello", Poison.All["words"].Properties);
        await PublishAsync(Main, GoodDocument);
        await ClaimAsync(session);
        Assert.Equal([true], await Queue.ResumeAsync(["poison"], Token));
        await AssertNothingToClaimAsync(session);
        Assert.Equal("poison", Assert.Single(await LettersAsync()).Id);
    }

    /// <returns>Bytes of the resident set; its peak since the reset, when not resetting.</returns>
    private static long Measure(bool reset)
    {
        if (reset)
        {
            GC.Collect();
            // proc(5): 5 sets the peak to what it is now.
            File.WriteAllText("/proc/self/clear_refs", "5");
        }
        var line = File.ReadLines("/proc/self/status").First(line => line.StartsWith("VmHWM:", StringComparison.Ordinal));
        return long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[^2], CultureInfo.InvariantCulture) << 10;
    }
}
