using System.Management.Automation;

using Sisyphus.Engine.Queues;
using Sisyphus.Engine.Settings;

namespace Sisyphus.PowerShell.Commands;

/// <summary>What the cmdlets that talk to the queue share.</summary>
public abstract class QueueCommand : SisyphusCommand
{
    private ITaskQueue? _queue;

    [Parameter]
    public string? Broker { get; set; }

    [Parameter]
    [Credential]
    public PSCredential? Credential { get; set; }

    private protected ITaskQueue Queue => _queue!;

    protected override void BeginProcessing() =>
        _queue = this.OpenQueue(this.ResolveSettings(new SettingsLayer { Broker = this.BrokerAddress(Broker) }), Credential);

    /// <summary>Enumerates what the queue says on the pipeline thread; its failure ends the command.</summary>
    private protected IEnumerable<T> EnumerateOrEnd<T>(IAsyncEnumerable<T> source)
    {
        var enumerator = source.GetAsyncEnumerator(StopToken);
        try
        {
            while (WaitOrEnd(enumerator.MoveNextAsync().AsTask()))
                yield return enumerator.Current;
        }
        finally
        {
            enumerator.DisposeAsync().AsTask().GetAwaiter().GetResult();
        }
    }

    private protected TaskSummary? FindTask(string id) => EnumerateOrEnd(Queue.GetTasksAsync(new TaskQuery { Ids = [id] }, StopToken)).FirstOrDefault();

    protected override void Dispose(bool disposing)
    {
        if (disposing)
            _queue?.DisposeAsync().AsTask().GetAwaiter().GetResult();
        base.Dispose(disposing);
    }
}
