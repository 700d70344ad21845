using System.Diagnostics;
using System.Globalization;

using Docker.DotNet;
using Docker.DotNet.Models;

using Sisyphus.Engine.Execution;

namespace Sisyphus.Bench;

/// <summary>One command by a task, and the same command by the four API calls that running it takes at the least. Both in a network namespace that is there already.</summary>
internal static class Overhead
{
    public static async Task<int> RunAsync(string image, int pairs)
    {
        await using var bench = new Bench();
        await using var runner = bench.CreateRunner();
        using var client = new DockerClientBuilder().WithEndpoint(new Uri(bench.Engine.Endpoint)).Build();
        await using var sandbox = await bench.Engine.CreateSandboxAsync(new Dictionary<string, string>(), allowMetadata: false, CancellationToken.None);
        var json = $$"""{"image": "{{image}}", "command": ["true"], "outputs": {"bench:out": ">"} }""";

        List<double> direct = [], task = [];
        Dictionary<string, List<double>> steps = [];
        for (var pair = -2; pair < pairs; pair++)
        {
            var one = await TimeAsync(() => CallDirectlyAsync(client, image, sandbox.ContainerId));
            List<(string Step, long At)> marks = [("submitted", Stopwatch.GetTimestamp())];
            var two = await TimeAsync(() => Bench.RunAsync(runner, json, happened => Mark(happened, marks)));
            if (pair < 0)
                continue;
            direct.Add(one);
            task.Add(two);
            for (var index = 1; index < marks.Count; index++)
                (steps.TryGetValue(marks[index].Step, out var list) ? list : steps[marks[index].Step] = []).Add(Stopwatch.GetElapsedTime(marks[index - 1].At, marks[index].At).TotalMilliseconds);
        }

        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"pairs {pairs}; medians: four calls {Median(direct):0.0} ms, task {Median(task):0.0} ms, overhead {Median([.. task.Zip(direct, (t, d) => t - d)]):0.0} ms, ratio {Median([.. task.Zip(direct, (t, d) => t / d)]):0.000}"));
        foreach (var (step, times) in steps)
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  {step,-34} {Median(times),8:0.0} ms"));
        return 0;
    }

    private static void Mark(TaskEvent happened, List<(string, long)> marks)
    {
        var step = happened switch
        {
            TaskStateChanged { State: Engine.Tasks.TaskState.Initializing } => "submitted -> initializing",
            TaskStateChanged { State: Engine.Tasks.TaskState.Running } => "image, staging, create",
            PublishingProgressed => null,
            CommandStarted => "running -> command",
            TaskFinished => "run, remove, publish",
            _ => null,
        };
        if (step is not null)
            marks.Add((step, Stopwatch.GetTimestamp()));
    }

    private static async Task CallDirectlyAsync(DockerClient client, string image, string network)
    {
        var created = await client.Containers.CreateContainerAsync(new CreateContainerParameters
        {
            Image = image,
            Entrypoint = ["true"],
            HostConfig = new HostConfig { NetworkMode = $"container:{network}" },
        });
        await client.Containers.StartContainerAsync(created.ID, new ContainerStartParameters());
        await client.Containers.WaitContainerAsync(created.ID);
        await client.Containers.RemoveContainerAsync(created.ID, new ContainerRemoveParameters { Force = true });
    }

    private static async Task<double> TimeAsync(Func<Task> action)
    {
        var start = Stopwatch.GetTimestamp();
        await action();
        return Stopwatch.GetElapsedTime(start).TotalMilliseconds;
    }

    private static double Median(List<double> values)
    {
        var sorted = values.Order().ToList();
        return (sorted[(sorted.Count - 1) / 2] + sorted[sorted.Count / 2]) / 2;
    }
}
