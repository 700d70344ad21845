using Sisyphus.Engine.Queues;
using Sisyphus.Engine.Tasks;
using Xunit;

namespace Sisyphus.Tests.Broker.Wire;

public sealed class SendingTests(BrokerFixture fixture) : WireTest(fixture)
{
    private static readonly TaskDocument s_task = TaskDocumentReader.ReadAll("""{"image": "tools:1", "commands": [{"command": ["true"]}]}"""u8.ToArray())[0];

    [Theory, InlineData(5), InlineData(50), InlineData(200)]
    public async Task Send_StoppedInTheMiddle_TellsOfNoTaskThatIsNotThere(int milliseconds)
    {
        var tasks = Enumerable.Range(0, 10_000).Select(i => s_task with { Id = $"t-{i}" }).ToArray();
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Token);
        stop.CancelAfter(TimeSpan.FromMilliseconds(milliseconds));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Queue.SendAsync(tasks, stop.Token));
        var there = await CountAsync(Main);
        Assert.InRange(there!.Value, 0, tasks.Length - 1);
        var told = await Queue.GetTasksAsync(new TaskQuery(), Token).CountAsync(task => task.State == TaskState.Queued, Token);
        Assert.Equal(there, told);
    }
}
