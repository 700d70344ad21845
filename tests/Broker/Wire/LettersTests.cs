using RabbitMQ.Client;
using Sisyphus.Engine.Queues;
using Sisyphus.Engine.Queues.RabbitMq;
using Sisyphus.Engine.Tasks;
using Xunit;

namespace Sisyphus.Tests.Broker.Wire;

/// <summary>Any number of dead letters, each with a document of any size.</summary>
public sealed class LettersTests(BrokerFixture fixture) : WireTest(fixture)
{
    private const int Count = 40;

    protected override QueueOptions Options => new() { LeaseTime = TimeSpan.FromSeconds(6), MaxLosses = 1 };

    [Fact]
    public async Task Read_MoreThanIsHeldAtATime_GivesEachOnceAndInOrder()
    {
        Assert.Empty(await LettersAsync());
        var document = new byte[1 << 20];
        document.AsSpan().Fill((byte)'a');
        for (var i = 0; i < Count; i++)
            await PublishAsync(Names.Dead, document, new BasicProperties { Persistent = true, MessageId = $"letter-{i:00}" });
        Assert.Equal(Enumerable.Range(0, Count).Select(i => $"letter-{i:00}"), (await LettersAsync()).Select(letter => letter.Id));

        // Those that are taken away meanwhile are not held, and do not come.
        await using var letters = Queue.GetDeadLettersAsync([], Token).GetAsyncEnumerator(Token);
        Assert.True(await letters.MoveNextAsync());
        await EventuallyAsync(() => CountAsync(Names.Dead), count => count == Count);
        await Channel.QueuePurgeAsync(Names.Dead, Token);
        var read = 1;
        while (await letters.MoveNextAsync())
            read++;
        Assert.InRange(read, 2, Count - 1);
    }

    [Fact]
    public async Task Read_Again_ComesInTheSameOrder()
    {
        var ids = Enumerable.Range(0, 3 * Count).Select(i => $"letter-{i:000}").ToArray();
        foreach (var id in ids)
            await PublishAsync(Main, "hello", new BasicProperties { Persistent = true, MessageId = id });
        using var enough = CancellationTokenSource.CreateLinkedTokenSource(Token);
        var claiming = (await JoinAsync()).ClaimAsync(ClaimRequest.Anything, enough.Token);
        await EventuallyAsync(() => CountAsync(Names.Dead), count => count == ids.Length);
        await enough.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => claiming);
        for (var i = 0; i < 3; i++)
            Assert.Equal(ids, (await LettersAsync()).Select(letter => letter.Id));
    }

    [Fact]
    public async Task Loss_OfWhichTwoCopiesComeBack_IsOneLetter()
    {
        Assert.Empty(await LettersAsync());
        var session = (RabbitMqNodeSession)await JoinAsync("lost");
        await PublishAsync(Main, GoodDocument);
        await ClaimAsync(session);
        await session.KillAsync();
        // As when the node had just renewed it, and the one before was still there.
        var copy = await EventuallyAsync(() => Channel.BasicGetAsync(Names.Lease("lost", Options.LeaseTime), autoAck: true, Token), copy => copy is not null);
        await JoinAsync();
        for (var i = 0; i < 2; i++)
            await PublishAsync(Names.Returns, copy!.Body, new BasicProperties(copy.BasicProperties));
        await EventuallyAsync(async () => await Queue.GetTasksAsync(new TaskQuery { Ids = ["good"] }, Token).SingleAsync(Token), task => task.State == TaskState.SystemError);
        await EventuallyAsync(() => CountAsync(Names.Returns), count => count == 0);
        var letter = Assert.Single(await LettersAsync());
        Assert.Equal(("good", FailureReason.NodeLost), (letter.Id, letter.Reason));
    }
}
