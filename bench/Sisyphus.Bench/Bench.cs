using System.Text;

using Sisyphus.Engine.Containers.Docker;
using Sisyphus.Engine.Execution;
using Sisyphus.Engine.Storage;
using Sisyphus.Engine.Tasks;

namespace Sisyphus.Bench;

/// <summary>An engine, a store and a work directory that are gone at the end.</summary>
internal sealed class Bench : IAsyncDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("sisyphus-bench-").FullName;

    public DockerContainerEngine Engine { get; } = DockerContainerEngine.Connect();

    public TaskRunner CreateRunner() => new(
        Engine,
        ObjectStores.Open($"file://{_root}/store"),
        new TaskRunnerOptions { WorkDirectory = Path.Combine(_root, "work"), NodeName = "bench", ReportOutput = false });

    public static async Task<TaskResult> RunAsync(TaskRunner runner, string json, Action<TaskEvent>? observe = null)
    {
        runner.TrySubmit(TaskDocumentReader.ReadAll(Encoding.UTF8.GetBytes(json))[0]);
        while (true)
        {
            var happened = await runner.Events.ReadAsync();
            observe?.Invoke(happened);
            if (happened is not TaskFinished finished)
                continue;
            return finished.Result.State == TaskState.Complete ? finished.Result : throw new InvalidOperationException(finished.Result.Message);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await Engine.DisposeAsync();
        Directory.CreateDirectory(_root);
        Directory.Delete(_root, recursive: true);
    }
}
