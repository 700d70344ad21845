using System.Threading.Channels;

using Sisyphus.Engine.Tasks;

namespace Sisyphus.Engine.Queues;

/// <summary>Sends tasks as they come: what gathers while a batch is on its way is the next batch. So one task goes at once, and a hundred thousand need no more memory than two batches.</summary>
public sealed class TaskSender : IAsyncDisposable
{
    public const int BatchSize = 500;

    private readonly Channel<TaskDocument> _tasks = Channel.CreateBounded<TaskDocument>(new BoundedChannelOptions(BatchSize) { SingleReader = true });
    private readonly Channel<SentTask> _outcomes = Channel.CreateBounded<SentTask>(new BoundedChannelOptions(2 * BatchSize) { SingleReader = true });
    private readonly CancellationTokenSource _stop = new();
    private readonly ITaskQueue _queue;
    private readonly Task _sending;

    public TaskSender(ITaskQueue queue)
    {
        _queue = queue;
        _sending = SendAsync(_stop.Token);
    }

    /// <summary>In the order of the tasks. Ends after <see cref="Complete"/> with the last one, or with the exception that kept the queue from going on.</summary>
    public ChannelReader<SentTask> Outcomes => _outcomes.Reader;

    /// <summary>Takes the task unless a batch is full; then an outcome will come.</summary>
    /// <param name="task">With its id.</param>
    public bool TrySend(TaskDocument task) => _tasks.Writer.TryWrite(task);

    public void Complete() => _tasks.Writer.TryComplete();

    /// <summary>Nothing more is sent; a batch on its way is waited for.</summary>
    public async ValueTask DisposeAsync()
    {
        Complete();
        await _stop.CancelAsync().ConfigureAwait(false);
        await _sending.ConfigureAwait(false);
        _stop.Dispose();
    }

    private async Task SendAsync(CancellationToken cancellationToken)
    {
        try
        {
            List<TaskDocument> batch = new(BatchSize);
            while (await _tasks.Reader.WaitToReadAsync(cancellationToken).ConfigureAwait(false))
            {
                while (batch.Count < BatchSize && _tasks.Reader.TryRead(out var task))
                    batch.Add(task);
                var outcomes = await _queue.SendAsync(batch, cancellationToken).ConfigureAwait(false);
                foreach (var (task, outcome) in batch.Zip(outcomes))
                    await _outcomes.Writer.WriteAsync(new SentTask(task, outcome), cancellationToken).ConfigureAwait(false);
                batch.Clear();
            }
            _outcomes.Writer.TryComplete();
        }
        catch (Exception error)
        {
            _outcomes.Writer.TryComplete(error);
        }
    }
}
