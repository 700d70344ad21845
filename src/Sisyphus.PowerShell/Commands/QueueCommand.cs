using System.Management.Automation;

using Sisyphus.Engine.Queues;
using Sisyphus.Engine.Settings;

namespace Sisyphus.PowerShell.Commands;

/// <summary>What the cmdlets that talk to the queue share.</summary>
public abstract class QueueCommand : SisyphusCommand
{
    /// <summary>After which somebody who waits is told why.</summary>
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(2);

    private ITaskQueue? _queue;
    private bool _isOut;

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

    /// <summary>As <see cref="EnumerateOrEnd"/>, of what goes on over outages of the queue: says once of each that there is one, and that it is over.</summary>
    private protected IEnumerable<T> FollowOrEnd<T>(IAsyncEnumerable<T> source)
    {
        var enumerator = source.GetAsyncEnumerator(StopToken);
        try
        {
            while (true)
            {
                var next = enumerator.MoveNextAsync().AsTask();
                while (!WaitOrEnd(EndsSoonAsync(next)))
                    WarnOfOutage();
                var isThere = WaitOrEnd(next);
                if (_isOut)
                    WarnOfOutage();
                if (!isThere)
                    yield break;
                yield return enumerator.Current;
            }
        }
        finally
        {
            enumerator.DisposeAsync().AsTask().GetAwaiter().GetResult();
        }
    }

    /// <summary>Whether it ends before somebody who waits wants to hear why it does not.</summary>
    private protected static async Task<bool> EndsSoonAsync(Task waiting) =>
        waiting.IsCompleted || await Task.WhenAny(waiting, Task.Delay(s_patience)).ConfigureAwait(false) == waiting;

    private void WarnOfOutage()
    {
        var outage = Queue.Outage;
        if (_isOut == outage is not null)
            return;
        _isOut = outage is not null;
        WriteWarning(_isOut ? $"{outage} Nothing is lost; this goes on when it is back." : $"The queue {Queue.Address} is back.");
    }

    private protected TaskSummary? FindTask(string id) => EnumerateOrEnd(Queue.GetTasksAsync(new TaskQuery { Ids = [id] }, StopToken)).FirstOrDefault();

    protected override void Dispose(bool disposing)
    {
        if (disposing)
            _queue?.DisposeAsync().AsTask().GetAwaiter().GetResult();
        base.Dispose(disposing);
    }
}
