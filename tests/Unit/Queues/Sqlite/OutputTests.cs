using Sisyphus.Engine.Queues;
using Sisyphus.Engine.Queues.Sqlite;
using Sisyphus.Engine.Tasks;
using Sisyphus.Tests.Unit.Storage;
using Xunit;

namespace Sisyphus.Tests.Unit.Queues.Sqlite;

public sealed class OutputTests : IAsyncDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly SqliteTaskQueue _queue;

    public OutputTests() => _queue = new SqliteTaskQueue(_folder["queue.db"], new QueueOptions(), TimeProvider.System);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask DisposeAsync()
    {
        await _queue.DisposeAsync();
        _folder.Dispose();
    }

    [Fact]
    public async Task WriteOutput_NobodyReads_WritesNothing()
    {
        await using var session = await JoinAsync();
        var delivery = await session.ClaimAsync(ClaimRequest.Anything, Token);
        for (var i = 0; i < 1000; i++)
            delivery.WriteOutput(DateTimeOffset.UtcNow, OutputStream.StandardOutput, "line");
        await Task.Delay(600, Token);
        Assert.Equal(0, await _queue.File.ReadAsync(Outputs.Last, Token));
    }

    [Fact]
    public async Task ReadOutput_ReaderLeaves_LeavesNothing()
    {
        await using var session = await JoinAsync();
        var delivery = await session.ClaimAsync(ClaimRequest.Anything, Token);
        await foreach (var _ in Lines(delivery))
            break;
        Assert.Equal((0, 0), await CountAsync());
    }

    [Fact]
    public async Task ReadOutput_ReaderDoesNotAskAgain_IsForgotten()
    {
        await using var session = await JoinAsync();
        var delivery = await session.ClaimAsync(ClaimRequest.Anything, Token);
        await using var lines = Lines(delivery).GetAsyncEnumerator(Token);
        Assert.True(await lines.MoveNextAsync());
        var later = _queue.Clock.Monotonic + (long)OutputWish.Life.TotalMilliseconds + 1000;
        await _queue.File.WriteAsync(
            connection =>
            {
                Outputs.RemoveUnread(connection, later);
                return true;
            },
            Token);
        Assert.Equal(0, (await CountAsync()).Wishes);
    }

    [Fact]
    public async Task Append_ManyBatches_KeepsTheLatest()
    {
        await _queue.File.WriteAsync(
            connection =>
            {
                for (var i = 1; i <= 200; i++)
                    Outputs.Append(connection, new OutputBatch("a", 1, i, 0, false, [new OutputText(DateTimeOffset.UnixEpoch, OutputStream.StandardOutput, "line")]));
                return true;
            },
            Token);
        var kept = await _queue.File.ReadAsync(connection => Outputs.Read(connection, "[\"a\"]", 0, 1000), Token);
        Assert.Equal(Enumerable.Range(201 - Outputs.MostBatches, Outputs.MostBatches).Select(i => (long)i), kept.Select(item => item.Batch!.First));
    }

    private async Task<INodeSession> JoinAsync()
    {
        await _queue.SendAsync([SqliteDocuments.Make("a")], Token);
        return await _queue.JoinAsync(new NodeRegistration("n", 1, 8, 1 << 30, "Tests 1", TimeSpan.FromMinutes(5)), Token);
    }

    /// <summary>Reads while the task writes.</summary>
    private async IAsyncEnumerable<OutputLine> Lines(IDelivery delivery)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Token);
        var writing = Task.Run(
            async () =>
            {
                while (!stop.IsCancellationRequested)
                {
                    delivery.WriteOutput(DateTimeOffset.UtcNow, OutputStream.StandardOutput, "line");
                    await Task.Delay(10, stop.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                }
            },
            Token);
        await foreach (var line in _queue.ReadOutputAsync(["a"], Token))
            yield return line;
        await stop.CancelAsync();
        await writing;
    }

    private Task<(long Wishes, long Batches)> CountAsync() => _queue.File.ReadAsync(
        connection => (connection.Long("SELECT count(*) FROM output_wishes"), connection.Long("SELECT count(*) FROM output")), Token);
}
