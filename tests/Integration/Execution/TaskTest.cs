using Docker.DotNet;

using Sisyphus.Engine.Containers;
using Sisyphus.Engine.Execution;
using Sisyphus.Engine.Tasks;

using Xunit;

namespace Sisyphus.Tests.Integration.Execution;

/// <summary>What the tests of whole tasks share. At the end of each nothing of it may be left on the machine.</summary>
public abstract class TaskTest(EngineFixture engine, ShellImageFixture shell) : IClassFixture<ShellImageFixture>, IAsyncLifetime
{
    internal TaskHarness Harness { get; } = new(engine.Engine);
    protected IContainerEngine Engine => engine.Engine;
    /// <summary>The engine's own interface, for what ours has no use for.</summary>
    protected DockerClient Client => engine.Client;
    protected string Image => shell.Reference;

    public virtual ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public virtual async ValueTask DisposeAsync()
    {
        // I4: whatever a test did, nothing outlives it.
        Assert.Equal(0, await Harness.CountContainersAsync());
        Assert.Empty(Harness.Runs());
        await Harness.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    protected static void AssertComplete(TaskResult result) =>
        Assert.Equal((TaskState.Complete, null, ""), (result.State, result.Reason, result.Attempts == 0 ? "" : result.Message));
}
