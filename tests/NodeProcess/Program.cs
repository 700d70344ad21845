using Sisyphus.Engine.Containers.Docker;
using Sisyphus.Engine.Execution;
using Sisyphus.Engine.Nodes;
using Sisyphus.Engine.Queues;
using Sisyphus.Engine.Storage;
using Sisyphus.PowerShell.Running;

// A node as a process of its own, for tests that kill or stop it: QUEUE STORE WORKDIRECTORY NAME LEASE-SECONDS MAX-LOSSES SLOTS.
// Writes a line for each task that it brought to an end, and to the error stream why it pauses; exit code 3 when it can't join.
if (args is not [var address, var store, var workDirectory, var name, var lease, var maxLosses, var slots])
    return 2;

var queueOptions = new QueueOptions { LeaseTime = TimeSpan.FromSeconds(int.Parse(lease, null)), MaxLosses = int.Parse(maxLosses, null) };
await using var queue = TaskQueues.Open(address, queueOptions);
await using var engine = DockerContainerEngine.Connect();
var options = new NodeOptions
{
    Tasks = new TaskRunnerOptions { WorkDirectory = workDirectory, NodeName = name, StopGrace = TimeSpan.FromSeconds(1), Concurrency = int.Parse(slots, null) },
    HeartbeatInterval = TimeSpan.FromSeconds(1),
};
await using var node = new Node(queue, engine, ObjectStores.Open(store), options);
using var signals = new NodeSignals(node, Console.Error.WriteLine);
var run = node.RunAsync(CancellationToken.None);
await foreach (var happened in node.Events.ReadAllAsync())
{
    if (happened is NodeTaskEvent { Event: TaskFinished finished })
        await Console.Out.WriteLineAsync($"{finished.TaskId} {finished.Result.State}");
    else if (happened is NodeStateChanged { State: NodeState.Paused } paused)
        await Console.Error.WriteLineAsync($"{paused.State}: {paused.Message}");
}

try
{
    await run;
    return 0;
}
catch (QueueException refused)
{
    await Console.Error.WriteLineAsync($"{refused.Failure}: {refused.Message}");
    return 3;
}
