using System.Text;
using Sisyphus.Engine.Queues;
using Sisyphus.Engine.Tasks;
using Xunit;

namespace Sisyphus.Tests.Broker.Wire;

/// <summary>A broker that refuses messages, and then takes them.</summary>
public sealed class RefusedTests(BrokerFixture fixture) : WireTest(fixture)
{
    [Fact]
    public async Task Send_RefusedAndThenConfirmed_Runs()
    {
        var task = TaskDocumentReader.ReadAll(Encoding.UTF8.GetBytes(GoodDocument))[0];
        var session = await JoinAsync();
        await LimitAsync(0);
        Assert.Equal(SendResult.Refused, Assert.Single(await Queue.SendAsync([task], Token)).Result);
        Assert.Equal(TaskState.SystemError, (await FindAsync("good")).State);
        await LimitAsync(1000);
        Assert.Equal(SendResult.Sent, Assert.Single(await Queue.SendAsync([task], Token)).Result);
        Assert.Equal(TaskState.Queued, (await FindAsync("good")).State);
        Assert.True(await (await ClaimAsync(session)).CompleteAsync(Complete(), Token));
        Assert.Equal(TaskState.Complete, (await FindAsync("good")).State);
    }

    private Task<string> LimitAsync(int messages) => Fixture.Server.RunControlAsync("set_policy", "-p", Address.AbsolutePath[1..], "limit", "^sisyphus-queue$", $$"""{"max-length": {{messages}}, "overflow": "reject-publish"}""");

    private async Task<TaskSummary> FindAsync(string id)
    {
        await foreach (var task in Queue.GetTasksAsync(new TaskQuery { Ids = [id] }, Token))
            return task;
        throw new InvalidOperationException($"There is no task {id}.");
    }
}
