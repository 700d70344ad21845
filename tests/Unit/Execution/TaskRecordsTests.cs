using Sisyphus.Engine.Execution;
using Sisyphus.Engine.Storage;
using Sisyphus.Engine.Storage.Directories;
using Sisyphus.Engine.Tasks;
using Sisyphus.Tests.Unit.Storage;

using Xunit;

namespace Sisyphus.Tests.Unit.Execution;

public sealed class TaskRecordsTests : IDisposable
{
    private readonly TemporaryFolder _folder = new(inMemory: true);
    private readonly DirectoryObjectStore _store;

    public TaskRecordsTests() => _store = DirectoryObjectStore.OfRoot(_folder.Path);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Read_DecisionMarkedDoneAfterItWasListed_IsReadAgain()
    {
        await DecideAsync("a", done: false);
        var calls = 0;
        var reading = Assert.Single(await ReadAsync(new FaultyStore(
            _store,
            _ =>
            {
                // The first call lists, the second reads.
                if (++calls == 2)
                    DecideAsync("a", done: true).Wait(Token);
                return Fault.None;
            },
            () => new InvalidOperationException())));
        Assert.Null(reading.Error);
        Assert.Equal("a", reading.Record!.Task);
    }

    [Theory]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("no JSON")]
    [InlineData("{\"version\":3,\"task\":\"b\",\"attempt\":\"x\",\"outputs\":[]}")]
    [InlineData("{\"version\":1,\"task\":\"a\",\"attempt\":\"x\",\"outputs\":[]}")]
    [InlineData("{\"version\":1,\"task\":\"b\",\"attempt\":\"x\",\"outputs\":[]}")]
    [InlineData("{\"version\":1,\"task\":\"b\",\"attempt\":\"x\",\"outputs\":[],\"record\":{\"commands\":null}}")]
    public async Task Read_OneIsBroken_IsOneErrorAndTheOthersCome(string broken)
    {
        await DecideAsync("a", done: true);
        await _store.PutAsync("bucket", ".sisyphus/b/published.json", broken);
        await DecideAsync("c", done: true);
        var readings = await ReadAsync(_store);
        Assert.Equal(["a", null, "c"], readings.Select(reading => reading.Record?.Task));
        Assert.Equal(FailureReason.Internal, readings[1].Error!.Reason);
    }

    [Fact]
    public async Task Read_RecordWithNullWhereAListBelongs_IsAnError()
    {
        await _store.PutAsync("bucket", ".sisyphus/a/x/record.json", Record("a").Replace("\"commands\":[]", "\"commands\":null", StringComparison.Ordinal));
        Assert.NotNull(Assert.Single(await ReadAsync(_store)).Error);
    }

    private static async Task<List<TaskRecordReading>> ReadAsync(IObjectStore store) =>
        await TaskRecords.ReadAsync(new ObjectStores(store), new RemotePath(null, "bucket", ""), null, Token).ToListAsync(Token);

    private async Task DecideAsync(string task, bool done) =>
        await _store.PutAsync("bucket", $".sisyphus/{task}/published.json", $$"""{"version":1,"task":"{{task}}","attempt":"x","done":{{(done ? "true" : "false")}},"outputs":[],"record":{{Record(task)}}}""");

    private static string Record(string task) => new AttemptRecord
    {
        Task = task,
        Attempt = "x",
        Number = 1,
        State = TaskState.Complete,
        Node = "node",
        Software = "software",
        Image = "image",
        Started = DateTimeOffset.UnixEpoch,
        Finished = DateTimeOffset.UnixEpoch,
    }.ToJson().GetRawText();
}
