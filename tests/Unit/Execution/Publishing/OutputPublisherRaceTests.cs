using System.Diagnostics;
using System.Globalization;
using Sisyphus.Engine.Storage.Transfers;
using Sisyphus.Tests.Unit.Storage;
using Xunit;

namespace Sisyphus.Tests.Unit.Execution.Publishing;

/// <summary>Many attempts of one task at once.</summary>
public sealed class OutputPublisherRaceTests
{
    private const string SharedFolderVariable = "SISYPHUS_TEST_RACE_FOLDER";
    private const string NameVariable = "SISYPHUS_TEST_RACE_NAME";
    private const int Processes = 3;
    private const int AttemptsPerProcess = 8;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Publish_ManyAttemptsAtOnce_AllReturnTheOneWhoseOutputsStand()
    {
        using var fixture = new PublishingFixture();
        var publications = await Task.WhenAll(Enumerable.Range(0, 16).Select(i => Task.Run(() => fixture.PublishAsync(fixture.Publisher(), $"try-{i}"))));
        var winner = Assert.Single(publications.Select(publication => publication.AttemptId).Distinct());
        Assert.Equal(winner, await fixture.PublishedAttemptAsync());
        Assert.Empty(await fixture.StagedAsync());
    }

    [Fact]
    public async Task Publish_ReadersWhilePromoting_NeverSeeDoneWithoutEveryOutput()
    {
        for (var round = 0; round < 5; round++)
        {
            using var fixture = new PublishingFixture();
            var publishing = Task.WhenAll(Enumerable.Range(0, 3).Select(i => Task.Run(() => fixture.PublishAsync(fixture.Publisher(options: new TransferOptions { Concurrency = 2 }), $"try-{i}"))));
            var seenDone = false;
            try
            {
                while (!seenDone && !publishing.IsFaulted)
                {
                    seenDone = await fixture.DecisionAsync() is { } decision && decision.GetProperty("done").GetBoolean();
                    if (seenDone)
                        await fixture.PublishedAttemptAsync();
                }
            }
            finally
            {
                await ((Task)publishing).ContinueWith(_ => { }, CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
            }
            await publishing;
            Assert.True(seenDone);
        }
    }

    [Fact]
    public async Task Publish_FromSeveralProcesses_ExactlyOneWins()
    {
        using var shared = new TemporaryFolder(inMemory: true);
        var processes = Enumerable.Range(0, Processes).Select(i => StartWorker(shared.Path, $"p{i}")).ToList();
        foreach (var process in processes)
        {
            var output = process.StandardOutput.ReadToEndAsync(Token);
            await process.WaitForExitAsync(Token);
            Assert.True(process.ExitCode == 0, await output);
            process.Dispose();
        }
        var winners = processes.Select((_, i) => File.ReadAllLines(shared[$"p{i}.result"])).SelectMany(lines => lines).ToList();
        Assert.Equal(Processes * AttemptsPerProcess, winners.Count);
        var winner = Assert.Single(winners.Distinct());
        using var fixture = new PublishingFixture(shared.Path);
        Assert.Equal(winner, await fixture.PublishedAttemptAsync());
        Assert.Empty(await fixture.StagedAsync());
    }

    /// <summary>The other processes of the test above.</summary>
    [Fact(Explicit = true)]
    public async Task Worker()
    {
        var folder = Environment.GetEnvironmentVariable(SharedFolderVariable);
        var name = Environment.GetEnvironmentVariable(NameVariable);
        Assert.SkipWhen(folder is null, "Started by Publish_FromSeveralProcesses_ExactlyOneWins.");
        // All processes wait for each other, so that they really race.
        await File.WriteAllTextAsync(Path.Combine(folder!, name + ".ready"), "", Token);
        var patience = Stopwatch.StartNew();
        while (Directory.GetFiles(folder!, "*.ready").Length < Processes && patience.Elapsed < TimeSpan.FromSeconds(60))
            await Task.Delay(5, Token);
        using var fixture = new PublishingFixture(folder);
        var publications = await Task.WhenAll(Enumerable.Range(0, AttemptsPerProcess).Select(i => Task.Run(() => fixture.PublishAsync(fixture.Publisher(), string.Create(CultureInfo.InvariantCulture, $"{name}-{i}")))));
        await File.WriteAllLinesAsync(Path.Combine(folder!, name + ".result"), publications.Select(publication => publication.AttemptId), Token);
    }

    private static Process StartWorker(string folder, string name)
    {
        var start = new ProcessStartInfo { RedirectStandardOutput = true, UseShellExecute = false };
        var assembly = typeof(OutputPublisherRaceTests).Assembly.Location;
        start.FileName = Environment.ProcessPath!;
        if (Path.GetFileNameWithoutExtension(start.FileName) == "dotnet")
            start.ArgumentList.Add(assembly);
        foreach (var argument in (string[])["-explicit", "only", "-method", $"{typeof(OutputPublisherRaceTests).FullName}.{nameof(Worker)}", "-noColor"])
            start.ArgumentList.Add(argument);
        start.Environment[SharedFolderVariable] = folder;
        start.Environment[NameVariable] = name;
        return Process.Start(start)!;
    }
}
