using System.Diagnostics;
using System.Globalization;
using Sisyphus.Engine.Tasks;
using Sisyphus.Tests.Broker.Foreign;
using Xunit;

namespace Sisyphus.Tests.Broker.Wire;

/// <summary>What is no task is claimed by nobody, and stops nobody.</summary>
public sealed class PoisonTests(BrokerFixture fixture, ITestOutputHelper output) : WireTest(fixture)
{
    private const int MostDeliveries = 2;
    private const int Large = 50 << 20;

    public static TheoryData<string> Kinds => [.. Poison.All.Keys];

    public static TheoryData<string> Strange => [.. StrangeHeaders.All.Keys];

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

    [Theory, MemberData(nameof(Strange))]
    public async Task Claim_StrangeHeaders_IsATaskLikeOthers(string headers)
    {
        var session = await JoinAsync();
        var claiming = ClaimAsync(session);
        await PublishStrangeAsync(Main, headers, GoodDocument);
        var task = await claiming;
        Assert.Equal("good", task.Document.Id);
        Assert.True(await task.CompleteAsync(Complete(), Token));
        Assert.Empty(await LettersAsync());
        Assert.Equal(0, await CountAsync(Main));
    }

    [Theory, MemberData(nameof(Strange))]
    public async Task Letter_StrangeHeaders_KeepsItsContent(string headers)
    {
        Assert.Empty(await LettersAsync());
        await PublishStrangeAsync(Names.Dead, headers, GoodDocument);
        var letter = Assert.Single(await LettersAsync());
        Assert.Contains("good", letter.Document, StringComparison.Ordinal);
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
