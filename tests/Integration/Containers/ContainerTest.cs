using System.Text;

using Sisyphus.Engine.Containers;
using Sisyphus.Engine.Tasks;

using Xunit;

namespace Sisyphus.Tests.Integration.Containers;

/// <summary>What the tests of containers share: short ways to make one and run something in it. At the end of each test nothing with its labels may be left.</summary>
public abstract class ContainerTest(EngineFixture fixture) : IAsyncLifetime
{
    protected EngineFixture Fixture { get; } = fixture;
    protected IContainerEngine Engine => Fixture.Engine;
    protected Dictionary<string, string> Labels { get; } = EngineFixture.NewLabels();
    protected static CancellationToken Token => TestContext.Current.CancellationToken;

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public virtual async ValueTask DisposeAsync()
    {
        var left = await Fixture.ContainersAsync(Labels);
        await Engine.SweepAsync(Labels, CancellationToken.None);
        Assert.Empty(left);
        GC.SuppressFinalize(this);
    }

    /// <summary>A busybox tool and its arguments.</summary>
    protected static TaskCommand Tool(params string[] arguments) => new([EngineFixture.Tool, .. arguments]);

    protected static TaskCommand Shell(string script) => Tool("sh", "-c", script);

    protected ContainerSpec Spec(TaskCommand? command = null) => new() { ImageId = Fixture.Image, Command = command, Labels = Labels };

    /// <summary>Runs the command in a container of its own.</summary>
    internal async Task<Finished> RunAsync(TaskCommand command, Func<ContainerSpec, ContainerSpec>? with = null, byte[]? input = null)
    {
        var spec = Spec(command);
        await using var container = await Engine.CreateContainerAsync(with?.Invoke(spec) ?? spec, Token);
        return await RunAsync(container, command, input);
    }

    internal static async Task<Finished> RunAsync(IContainer container, TaskCommand command, byte[]? input = null)
    {
        using var output = new MemoryStream();
        using var error = new MemoryStream();
        var exit = await container.RunAsync(command, input is null ? null : new MemoryStream(input), output, error, Token);
        return new(exit, output.ToArray(), error.ToArray());
    }
}

internal sealed record Finished(CommandExit Exit, byte[] Output, byte[] Error)
{
    public string OutputText => Encoding.UTF8.GetString(Output);
    public string ErrorText => Encoding.UTF8.GetString(Error);
}
