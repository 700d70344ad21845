using RabbitMQ.Client;
using Xunit;

namespace Sisyphus.Tests.Broker.Wire;

/// <summary>Any number of dead letters, each with a document of any size.</summary>
public sealed class LettersTests(BrokerFixture fixture) : WireTest(fixture)
{
    private const int Count = 40;

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
}
