using System.Diagnostics;
using System.Text;
using Sisyphus.Engine.Queues;
using Sisyphus.Engine.Tasks;
using Sisyphus.Tests.Unit.Storage;
using Xunit;

namespace Sisyphus.Tests.Unit.Queues.Sqlite;

/// <summary>Several processes on one file, and what is left of one that is killed.</summary>
public sealed class QueueProcessesTests
{
    private const string FolderVariable = "SISYPHUS_TEST_QUEUE_FOLDER";
    private const string NameVariable = "SISYPHUS_TEST_QUEUE_NAME";
    private const int Processes = 20;
    private const int TasksEach = 20;
    private const int BatchSize = 50;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(90);
    private static readonly TaskDocument Template = TaskDocumentReader.ReadAll(Encoding.UTF8.GetBytes("""{"image": "tools:1", "commands": [{"command": ["true"]}]}"""))[0];

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task TwentyProcesses_SendAndClaimAtOnce_EachTaskIsClaimedOnce()
    {
        using var folder = new TemporaryFolder();
        var processes = Enumerable.Range(0, Processes).Select(i => Start(nameof(SendAndClaim), folder, $"p{i}")).ToList();
        foreach (var process in processes)
        {
            var output = process.StandardOutput.ReadToEndAsync(Token);
            await process.WaitForExitAsync(Token);
            Assert.True(process.ExitCode == 0, await output);
            process.Dispose();
        }
        var claimed = Enumerable.Range(0, Processes).SelectMany(i => File.ReadAllLines(folder[$"p{i}.claimed"])).ToList();
        var sent = Enumerable.Range(0, Processes).SelectMany(i => Enumerable.Range(0, TasksEach).Select(n => $"p{i}-{n}"));
        Assert.Equal(sent.Order(), claimed.Order());
        await using var queue = Open(folder.Path);
        var info = await queue.GetInfoAsync(Token);
        Assert.Equal((0L, 0L, Processes * TasksEach, 0L), (info.Ready, info.Leased, (int)info.Ended, info.DeadLetters));
    }

    [Fact]
    public async Task SenderKilled_EveryConfirmedBatchIsThereAndNoneIsThereByHalf()
    {
        for (var round = 0; round < 3; round++)
        {
            using var folder = new TemporaryFolder();
            using var process = Start(nameof(SendForEver), folder, "sender");
            await AppearsAsync(folder["sender.confirmed"], lines: 3 + round * 2);
            process.Kill();
            await process.WaitForExitAsync(Token);
            var confirmed = Lines(folder["sender.confirmed"]);
            await using var queue = Open(folder.Path);
            var batches = new Dictionary<string, int>();
            await foreach (var task in queue.GetTasksAsync(new TaskQuery(), Token))
            {
                var batch = task.Id.Split('.')[0];
                batches[batch] = batches.GetValueOrDefault(batch) + 1;
            }
            Assert.All(batches, batch => Assert.Equal(BatchSize, batch.Value));
            Assert.All(confirmed, batch => Assert.True(batches.ContainsKey(batch), batch));
        }
    }

    [Fact]
    public async Task ClaimerKilled_ItsTasksComeBackWithinSeconds()
    {
        using var folder = new TemporaryFolder();
        await using var queue = Open(folder.Path);
        await queue.SendAsync([Template with { Id = "a" }], Token);
        using var process = Start(nameof(ClaimAndHang), folder, "victim");
        await AppearsAsync(folder["victim.claimed"], lines: 1);
        await using var session = await queue.JoinAsync(Registration("rescuer"), Token);
        var claiming = session.ClaimAsync(ClaimRequest.Anything, Token);
        process.Kill();
        await process.WaitForExitAsync(Token);
        var since = Stopwatch.GetTimestamp();
        var delivery = await claiming.WaitAsync(TimeSpan.FromSeconds(30), Token);
        Assert.InRange(Stopwatch.GetElapsedTime(since).TotalSeconds, 0, 5);
        Assert.Equal(("a", 1), (delivery.Document.Id, delivery.Losses));
    }

    /// <summary>One of the twenty.</summary>
    [Fact(Explicit = true)]
    public async Task SendAndClaim()
    {
        var (folder, name) = Self();
        await File.WriteAllTextAsync(Path.Combine(folder, name + ".ready"), "", Token);
        var patience = Stopwatch.StartNew();
        while (Directory.GetFiles(folder, "*.ready").Length < Processes && patience.Elapsed < Patience)
            await Task.Delay(20, Token);
        await using var queue = Open(folder);
        await using var session = await queue.JoinAsync(Registration(name), Token);
        var sending = Task.Run(async () =>
        {
            for (var i = 0; i < TasksEach; i++)
                await queue.SendAsync([Template with { Id = $"{name}-{i}" }], Token);
        }, Token);
        var claimed = new List<string>();
        for (var i = 0; i < TasksEach; i++)
        {
            var delivery = await session.ClaimAsync(ClaimRequest.Anything, Token).WaitAsync(Patience, Token);
            claimed.Add(delivery.Document.Id!);
            Assert.True(await delivery.CompleteAsync(new TaskEnd { State = TaskState.Complete, Started = DateTimeOffset.UtcNow, Finished = DateTimeOffset.UtcNow }, Token));
        }
        await sending;
        await File.WriteAllLinesAsync(Path.Combine(folder, name + ".claimed"), claimed, Token);
    }

    /// <summary>The sender that is killed.</summary>
    [Fact(Explicit = true)]
    public async Task SendForEver()
    {
        var (folder, name) = Self();
        await using var queue = Open(folder);
        for (var batch = 0; batch < 100_000; batch++)
        {
            await queue.SendAsync([.. Enumerable.Range(0, BatchSize).Select(i => Template with { Id = $"b{batch}.{i}" })], Token);
            await File.AppendAllTextAsync(Path.Combine(folder, name + ".confirmed"), $"b{batch}\n", Token);
        }
    }

    /// <summary>The node that is killed.</summary>
    [Fact(Explicit = true)]
    public async Task ClaimAndHang()
    {
        var (folder, name) = Self();
        await using var queue = Open(folder);
        await using var session = await queue.JoinAsync(Registration(name), Token);
        await session.ClaimAsync(ClaimRequest.Anything, Token);
        await File.WriteAllTextAsync(Path.Combine(folder, name + ".claimed"), "a\n", Token);
        await Task.Delay(Patience, Token);
    }

    private static (string Folder, string Name) Self()
    {
        var folder = Environment.GetEnvironmentVariable(FolderVariable);
        Assert.SkipWhen(folder is null, "Started by the other tests of this class.");
        return (folder!, Environment.GetEnvironmentVariable(NameVariable)!);
    }

    private static Process Start(string method, TemporaryFolder folder, string name) =>
        OtherProcess.Start(typeof(QueueProcessesTests), method, (FolderVariable, folder.Path), (NameVariable, name));

    private static ITaskQueue Open(string folder) => TaskQueues.Open($"sqlite:{folder}/queue.db");

    private static NodeRegistration Registration(string name) => new(name, 1, 1, 1 << 30, "Tests 1", TimeSpan.FromSeconds(60));

    /// <summary>The last line may be cut off by the kill.</summary>
    private static string[] Lines(string file)
    {
        var text = File.Exists(file) ? File.ReadAllText(file) : "";
        return text[..(text.LastIndexOf('\n') + 1)].Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }

    private static async Task AppearsAsync(string file, int lines)
    {
        var patience = Stopwatch.StartNew();
        while (Lines(file).Length < lines)
        {
            Assert.True(patience.Elapsed < Patience, $"{file} did not appear.");
            await Task.Delay(10, Token);
        }
    }
}
