using Sisyphus.Engine.Execution;
using Sisyphus.Engine.Queues;
using Sisyphus.Engine.Tasks;

namespace Sisyphus.Engine.Nodes;

/// <summary>Tells the queue what became of a delivery, until it has heard it: hours of work must not be done twice because the queue had a bad minute.</summary>
internal sealed class Settlement(IDelivery delivery, QueueLine line, CancellationToken abandon)
{
    /// <summary>How long an abandoned node goes on trying; then the session's end or the lease's tells.</summary>
    private static readonly TimeSpan s_lastTry = TimeSpan.FromSeconds(10);

    public Task<bool> CompleteAsync(TaskResult result) => SayAsync(token => delivery.CompleteAsync(End(result), token));

    public Task<bool> RetryAsync(TaskResult result, TimeSpan? after) => SayAsync(token => delivery.RetryAsync(End(result) with { RetryAfter = after }, token));

    public Task<bool> RejectAsync(TaskResult result) => SayAsync(token => delivery.RejectAsync(End(result), token));

    public Task<bool> ReleaseAsync(string why) => SayAsync(token => delivery.ReleaseAsync(why, token));

    private async Task<bool> SayAsync(Func<CancellationToken, Task<bool>> say)
    {
        using var giveUp = new CancellationTokenSource();
        var abandoned = abandon.Register(() => giveUp.CancelAfter(s_lastTry));
        await using (abandoned.ConfigureAwait(false))
        {
            try
            {
                return await line.SettleAsync(say, giveUp.Token).ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (abandon.IsCancellationRequested)
            {
                // Whoever gets the task finds the publication, where there is one.
                return false;
            }
        }
    }

    private static TaskEnd End(TaskResult result) => new()
    {
        State = result.State,
        Reason = result.Reason,
        Message = result.Message,
        Started = result.Started,
        Finished = result.Finished,
        ExitCodes = result.ExitCodes,
        PeakMemory = result.PeakMemory,
        Record = result.Record,
        LogTail = result.State == TaskState.Complete ? "" : Tail(result),
    };

    private static string Tail(TaskResult result)
    {
        var text = string.Join('\n', new[] { result.StandardOutput, result.StandardError }.Where(stream => stream.Length > 0));
        return text.Length <= TaskEnd.MaxLogTail ? text : text[^TaskEnd.MaxLogTail..];
    }
}
