using Sisyphus.Engine.Execution;

using Xunit;

namespace Sisyphus.Tests.Unit.Execution;

public sealed class RunDirectoryTests : IDisposable
{
    private readonly string _work = Directory.CreateTempSubdirectory("sisyphus-test-").FullName;

    [Fact]
    public void FindAbandoned_OwnerLives_FindsNothing()
    {
        using var run = RunDirectory.Create(_work);
        Assert.Empty(RunDirectory.FindAbandoned(_work));
    }

    [Fact]
    public async Task Create_OthersSweepAtTheSameMoment_HasAFolderOfItsOwn()
    {
        using var end = new CancellationTokenSource();
        var sweeping = Task.Run(() =>
        {
            while (!end.IsCancellationRequested)
            {
                foreach (var abandoned in RunDirectory.FindAbandoned(_work))
                {
                    using (abandoned)
                    {
                        try
                        {
                            abandoned.Remove();
                        }
                        catch (IOException)
                        {
                            // The owner tidies up at this moment.
                        }
                    }
                }
            }
        }, TestContext.Current.CancellationToken);
        for (var i = 0; i < 500; i++)
        {
            using var run = RunDirectory.Create(_work);
            Assert.True(Directory.Exists(run.Root));
        }
        await end.CancelAsync();
        await sweeping;
    }

    [Fact]
    public void FindAbandoned_OwnerIsGone_FindsItOnceAndRemoves()
    {
        var dead = Path.Combine(_work, "runs", "dead");
        Directory.CreateDirectory(Path.Combine(dead, "attempt"));
        File.WriteAllText(Path.Combine(dead, "attempt", "file"), "left behind");

        foreach (var abandoned in RunDirectory.FindAbandoned(_work))
        {
            using (abandoned)
            {
                Assert.Equal("dead", abandoned.Id);
                Assert.Empty(RunDirectory.FindAbandoned(_work));
                abandoned.Remove();
            }
        }

        Assert.False(Directory.Exists(dead));
    }

    [Fact]
    public void Attempts_OfAnAbandonedRun_AreThoseWithAWholeJournal()
    {
        var dead = Path.Combine(_work, "runs", "dead");
        foreach (var folder in new[] { "whole", "torn", "none" })
            Directory.CreateDirectory(Path.Combine(dead, folder));
        new AttemptJournal("task", "whole", ["b:out/", "c:log"]).Write(Path.Combine(dead, "whole"));
        File.WriteAllText(Path.Combine(dead, "torn", "attempt.json"), "{\"Task\": \"ta");

        using var abandoned = Assert.Single(RunDirectory.FindAbandoned(_work));
        var attempt = Assert.Single(abandoned.Attempts());
        Assert.Equal(("task", "whole"), (attempt.Task, attempt.Attempt));
        Assert.Equal(["b:out/", "c:log"], attempt.Remotes().Select(remote => remote.ToString()));
    }

    [Fact]
    public void Dispose_LeftForSweep_IsFoundByTheNextRun()
    {
        var run = RunDirectory.Create(_work);
        run.LeaveForSweep();
        run.Dispose();
        using var abandoned = Assert.Single(RunDirectory.FindAbandoned(_work));
        Assert.Equal(run.Id, abandoned.Id);
    }

    [Fact]
    public void Dispose_RemovesTheFolder()
    {
        var run = RunDirectory.Create(_work);
        Assert.True(Directory.Exists(run.Root));
        run.Dispose();
        Assert.False(Directory.Exists(run.Root));
    }

    public void Dispose() => Directory.Delete(_work, recursive: true);
}
