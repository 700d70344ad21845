using System.Globalization;
using System.Text;
using System.Threading.Channels;
using Sisyphus.Engine.Execution;
using Sisyphus.Engine.Storage;
using Sisyphus.Engine.Storage.Cache;
using Sisyphus.Engine.Storage.Directories;
using Sisyphus.Engine.Tasks;
using Sisyphus.Tests.Unit.Storage;
using Xunit;

namespace Sisyphus.Tests.Unit.Execution;

/// <summary>Measures the memory of the process, so nothing else runs meanwhile.</summary>
[Collection(nameof(Alone))]
public sealed class InputStageTests(ITestOutputHelper report)
{
    private const int Objects = 50_000;
    private const int BytesAnObject = 2048;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task RunAsync_50000ObjectsUnderAPrefix_BringsEachAndHoldsLittleOfThem()
    {
        using var folder = new TemporaryFolder(inMemory: true);
        for (var i = 0; i < Objects; i++)
        {
            var path = folder[$"store/lab/many/{i / 1000:d2}/{i:d5}"];
            if (i % 1000 == 0)
                Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            await File.WriteAllTextAsync(path, NameOf(i), Token);
        }
        var stores = new ObjectStores(DirectoryObjectStore.OfRoot(folder["store"]));
        var cache = new InputCache(new InputCacheOptions { Folder = folder["cache"] }, stores.Scheduler);
        using var run = RunDirectory.Create(folder["work"]);
        using var workspace = new Workspace(run, new AttemptJournal("t", "a", []));
        using var log = new TaskLog(null, TimeProvider.System);
        var context = Context(workspace, log);
        GC.Collect();
        GC.WaitForPendingFinalizers();
        var before = GC.GetTotalMemory(forceFullCollection: true);
        var watch = System.Diagnostics.Stopwatch.StartNew();

        using var staged = await new InputStage(context, new StoreAccess(stores, new NodePolicy()), cache, canMount: true).RunAsync(Token);

        var held = GC.GetTotalMemory(forceFullCollection: true) - before;
        report.WriteLine($"{watch.Elapsed.TotalSeconds:0.0} s, {held / Objects} bytes an object");
        Assert.Equal(Objects, staged.Records.Count);
        // Less than nothing where what earlier tests had left went meanwhile.
        Assert.InRange(held, long.MinValue, (long)Objects * BytesAnObject);
        var mount = Assert.Single(staged.Mounts);
        Assert.Equal(Objects, Directory.EnumerateFiles(mount.Source, "*", SearchOption.AllDirectories).Count());
        for (var i = 0; i < Objects; i++)
            Assert.Equal(NameOf(i), await File.ReadAllTextAsync(Path.Combine(mount.Source, $"{i / 1000:d2}", $"{i:d5}"), Token));
    }

    private static string NameOf(int index) => $"object {index.ToString(CultureInfo.InvariantCulture)}";

    private static AttemptContext Context(Workspace workspace, TaskLog log) => new()
    {
        Document = TaskDocumentReader.ReadAll(Encoding.UTF8.GetBytes("""{"image": "none", "id": "t", "inputs": {"lab:many/": "/in/"}, "commands": [{"command": ["true"]}]}"""))[0],
        TaskId = "t",
        AttemptId = "a",
        Number = 1,
        Options = new TaskRunnerOptions(),
        Workspace = workspace,
        Log = log,
        Events = new EventWriter(Channel.CreateBounded<TaskEvent>(16), "t", TimeProvider.System),
        Time = TimeProvider.System,
        BeforeStart = _ => Task.CompletedTask,
        Finishing = CancellationToken.None,
    };
}
