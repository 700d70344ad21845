using System.Text;

using Sisyphus.Engine.Containers;
using Sisyphus.Engine.Execution;
using Sisyphus.Engine.Storage;
using Sisyphus.Engine.Storage.Transfers;
using Sisyphus.Engine.Tasks;

using Xunit;

namespace Sisyphus.Tests.Integration.Execution;

/// <summary>A store, a work directory and a runner over the real engine, all of which are gone after the test.</summary>
internal sealed class TaskHarness : IAsyncDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("sisyphus-test-").FullName;
    private readonly IContainerEngine _engine;

    public TaskHarness(IContainerEngine engine)
    {
        _engine = engine;
        Directory.CreateDirectory(StoreRoot);
        WorkDirectory = Path.Combine(_root, "work");
    }

    public string StoreRoot => Path.Combine(_root, "store");
    public string WorkDirectory { get; init; }
    /// <summary>Unlike the machine's name never shared with another test, so that containers can be counted.</summary>
    public string NodeName { get; } = $"test-{Guid.NewGuid():N}";

    /// <summary>Buckets that are elsewhere than in the folder.</summary>
    public Dictionary<string, string> Mapping { get; } = [];
    public TransferOptions Transfers { get; } = new() { BaseDelay = TimeSpan.FromMilliseconds(10), MaxDelay = TimeSpan.FromMilliseconds(50) };

    public ObjectStores OpenStores() => ObjectStores.Open($"file://{StoreRoot}", Mapping, Transfers);

    public TaskRunner CreateRunner(Action<TaskRunnerOptions>? configure = null) => new(_engine, OpenStores(), Options(configure));

    public Task<TaskPlan> PlanAsync(string json) =>
        TaskRunner.PlanAsync(_engine, OpenStores(), Options(null), Read(json)[0], TestContext.Current.CancellationToken);

    private TaskRunnerOptions Options(Action<TaskRunnerOptions>? configure)
    {
        var options = new TaskRunnerOptions { WorkDirectory = WorkDirectory, NodeName = NodeName, StopGrace = TimeSpan.FromSeconds(1) };
        configure?.Invoke(options);
        return options;
    }

    public async Task<TaskResult> RunAsync(string json, Action<TaskRunnerOptions>? configure = null) => (await RunAllAsync([json], configure)).Results.Single();

    public async Task<(IReadOnlyList<TaskResult> Results, IReadOnlyList<TaskEvent> Events)> RunAllAsync(IEnumerable<string> documents, Action<TaskRunnerOptions>? configure = null)
    {
        await using var runner = CreateRunner(configure);
        List<TaskEvent> events = [];
        foreach (var document in documents.SelectMany(Read))
        {
            while (!runner.TrySubmit(document))
                events.Add(await runner.Events.ReadAsync(TestContext.Current.CancellationToken));
        }

        runner.Complete();
        await foreach (var happened in runner.Events.ReadAllAsync(TestContext.Current.CancellationToken))
            events.Add(happened);
        return ([.. events.OfType<TaskFinished>().Select(finished => finished.Result)], events);
    }

    public static IReadOnlyList<TaskDocument> Read(string json) => TaskDocumentReader.ReadAll(Encoding.UTF8.GetBytes(json));

    public void Put(string bucket, string key, string content) => Put(bucket, key, Encoding.UTF8.GetBytes(content));

    public void Put(string bucket, string key, byte[] content)
    {
        var path = PathOf(bucket, key);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllBytes(path, content);
    }

    public string Get(string bucket, string key) => File.ReadAllText(PathOf(bucket, key));

    public bool Exists(string bucket, string key) => File.Exists(PathOf(bucket, key));

    public string PathOf(string bucket, string key) => Path.Combine(StoreRoot, bucket, key);

    /// <summary>Keys of a bucket's objects but for our own under <c>.sisyphus/</c>.</summary>
    public IReadOnlyList<string> Keys(string bucket) => Directory.Exists(PathOf(bucket, ""))
        ? [.. Directory.EnumerateFiles(PathOf(bucket, ""), "*", SearchOption.AllDirectories)
            .Select(path => Path.GetRelativePath(PathOf(bucket, ""), path))
            .Where(key => !key.StartsWith(".sisyphus", StringComparison.Ordinal))
            .Order(StringComparer.Ordinal)]
        : [];

    /// <summary>What is left on this machine of runs that are over; sweeping is also how they are counted.</summary>
    public async Task<int> CountContainersAsync() =>
        await _engine.SweepAsync(new Dictionary<string, string> { ["sisyphus.node"] = NodeName }, TestContext.Current.CancellationToken);

    public IReadOnlyList<string> Runs() =>
        Directory.Exists(Path.Combine(WorkDirectory, "runs")) ? Directory.GetDirectories(Path.Combine(WorkDirectory, "runs")) : [];

    public ValueTask DisposeAsync()
    {
        Directory.Delete(_root, recursive: true);
        return ValueTask.CompletedTask;
    }
}
