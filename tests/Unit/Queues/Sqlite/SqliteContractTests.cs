using Sisyphus.Engine.Queues;
using Sisyphus.Engine.Queues.Sqlite;
using Sisyphus.Tests.Unit.Storage;

namespace Sisyphus.Tests.Unit.Queues.Sqlite;

public sealed class SqliteContractTests : TaskQueueContract
{
    private readonly TemporaryFolder _folder = new(inMemory: true);

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        _folder.Dispose();
    }

    private protected override Task<ITaskQueue> OpenAsync(QueueOptions options, TimeProvider clock) =>
        Task.FromResult(TaskQueues.Open("sqlite:" + _folder["queue.db"], options, clock));

    private protected override Task KillAsync(INodeSession session) => ((SqliteNodeSession)session).KillAsync().AsTask();

    private protected override async Task SendRawAsync(ITaskQueue queue, string id, string text)
    {
        var sqlite = (SqliteTaskQueue)queue;
        await sqlite.File.WriteAsync(
            connection =>
            {
                Sending.SendRaw(connection, sqlite.Clock, id, text);
                return true;
            },
            CancellationToken.None);
    }
}
