using System.Text;
using System.Text.Json;
using Sisyphus.Engine.Execution.Publishing;
using Sisyphus.Engine.Storage;
using Sisyphus.Engine.Storage.Directories;
using Sisyphus.Engine.Storage.Transfers;
using Sisyphus.Engine.Tasks;
using Sisyphus.Tests.Unit.Storage;
using Xunit;

namespace Sisyphus.Tests.Unit.Execution.Publishing;

/// <summary>A task with outputs in two buckets of two stores, and attempts whose outputs tell whose they are.</summary>
internal sealed class PublishingFixture : IDisposable
{
    public const string TaskId = "task-1";
    public static readonly RemotePath Home = new(null, "first", "out/a");
    public static readonly IReadOnlyList<RemotePath> Finals = [Home, new(null, "first", "out/b"), new(null, "second", "deep/er/c")];

    private readonly TemporaryFolder _folder = new(inMemory: true);

    public PublishingFixture(string? shared = null)
    {
        var folder = shared ?? _folder.Path;
        Local = Path.Combine(_folder.Path, "local");
        Directory.CreateDirectory(Local);
        First = DirectoryObjectStore.OfRoot(Path.Combine(folder, "stores"));
        Second = DirectoryObjectStore.OfBucket(Path.Combine(folder, "elsewhere"), "second");
    }

    public string Root => _folder.Path;
    public string Local { get; }
    public IObjectStore First { get; }
    public IObjectStore Second { get; }

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public static TransferOptions Fast => new() { BaseDelay = TimeSpan.Zero, Concurrency = 1 };

    public OutputPublisher Publisher(Func<IObjectStore, IObjectStore>? around = null, TransferOptions? options = null, TimeProvider? time = null)
    {
        var wrapped = new ObjectStores(around?.Invoke(First) ?? First, new Dictionary<string, IObjectStore> { ["second"] = around?.Invoke(Second) ?? Second });
        return new OutputPublisher(path => wrapped.Resolve(path), new TransferScheduler(options ?? Fast, time));
    }

    public IReadOnlyList<OutputFile> Outputs(string attempt) => [.. Finals.Select((final, index) =>
    {
        var path = Path.Combine(Local, $"{attempt}-{index}");
        File.WriteAllText(path, ContentOf(attempt, index));
        return new OutputFile(path, final);
    })];

    public static string ContentOf(string attempt, int index) => $"output {index} of {attempt}" + new string('.', index * 1000);

    public Task<Publication> PublishAsync(OutputPublisher publisher, string attempt, PublicationState? kept = null, bool direct = false) =>
        publisher.PublishAsync(Request(attempt) with { Kept = kept, Direct = direct }, null, Token);

    public PublicationRequest Request(string attempt, IReadOnlyList<OutputFile>? outputs = null) => new(TaskId, attempt, Home, outputs ?? Outputs(attempt))
    {
        Record = (outputs, exclusive) => JsonSerializer.SerializeToElement(new { attempt, outputs = outputs.Count, exclusive }),
    };

    public async Task<string?> FinalAsync(int index) => await (Finals[index].Bucket == "second" ? Second : First).ReadTextAsync(Finals[index].Bucket, Finals[index].Key);

    /// <summary>The attempt whose complete outputs are at the final places; fails on a mixture or a part.</summary>
    public async Task<string> PublishedAttemptAsync()
    {
        var first = await FinalAsync(0);
        Assert.NotNull(first);
        var attempt = first["output 0 of ".Length..];
        for (var index = 0; index < Finals.Count; index++)
            Assert.Equal(ContentOf(attempt, index), await FinalAsync(index));
        return attempt;
    }

    public async Task<List<string>> StagedAsync()
    {
        var all = new List<string>();
        foreach (var (store, bucket) in new[] { (First, "first"), (Second, "second") })
        {
            if (await store.BucketExistsAsync(bucket, Token))
                all.AddRange((await store.KeysAsync(bucket, ".sisyphus/")).Where(key => key.Contains("/outputs/", StringComparison.Ordinal) || key.Contains("/logs/", StringComparison.Ordinal) || key.EndsWith("/home", StringComparison.Ordinal)));
        }
        return all;
    }

    public static async Task<int> SweepAsync(OutputPublisher publisher, RemotePath bucket, TimeSpan age = default)
    {
        var warnings = new List<string>();
        var removed = await publisher.SweepAsync(bucket, age, warnings.Add, Token);
        Assert.Empty(warnings);
        return removed;
    }

    /// <summary>Puts a decision in the place of the one that stands, as somebody else would.</summary>
    public async Task EditDecisionAsync(Func<string, string> edit)
    {
        var key = $".sisyphus/{TaskId}/published.json";
        await First.PutAsync("first", key, edit((await First.ReadTextAsync("first", key))!));
    }

    public async Task<JsonElement?> DecisionAsync()
    {
        while (true)
        {
            try
            {
                return await First.ReadTextAsync("first", $".sisyphus/{TaskId}/published.json") is { } json ? JsonSerializer.Deserialize<JsonElement>(Encoding.UTF8.GetBytes(json)) : null;
            }
            catch (TaskFailureException e) when (e.Reason == FailureReason.InputCorrupt)
            {
                // Marked done while it was read.
            }
        }
    }

    public void Dispose() => _folder.Dispose();
}
