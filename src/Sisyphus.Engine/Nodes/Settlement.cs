using Sisyphus.Engine.Execution;
using Sisyphus.Engine.Queues;
using Sisyphus.Engine.Tasks;

namespace Sisyphus.Engine.Nodes;

/// <summary>Tells the queue what became of a delivery. What ends it is said again until the queue has heard it: hours of work must not be done twice because the queue had a bad minute.</summary>
internal sealed class Settlement(IDelivery delivery, TimeProvider time, CancellationToken abandon)
{
    public Task<bool> CompleteAsync(TaskResult result) => SayAsync(token => delivery.CompleteAsync(End(result), token));

    public Task<bool> RetryAsync(TaskResult result) => SayAsync(token => delivery.RetryAsync(End(result), token));

    public Task<bool> RejectAsync(TaskResult result) => SayAsync(token => delivery.RejectAsync(End(result), token));

    public Task<bool> ReleaseAsync(string why) => SayAsync(token => delivery.ReleaseAsync(why, token));

    /// <summary>Only for others to see; not said twice.</summary>
    public Task ReportAsync(TaskState state) => MentionAsync(delivery.ReportAsync(state, CancellationToken.None));

    public Task WarnAsync(string message) => MentionAsync(delivery.WarnAsync(message, CancellationToken.None));

    private async Task<bool> SayAsync(Func<CancellationToken, Task<bool>> say)
    {
        for (var tries = 1; ; tries++)
        {
            try
            {
                // Also when the node is abandoned: once.
                return await say(CancellationToken.None).ConfigureAwait(false);
            }
            catch (QueueException) when (!abandon.IsCancellationRequested)
            {
                await Task.Delay(RetryBackoff.After(tries, Random.Shared.NextDouble()), time, abandon).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
            catch (QueueException)
            {
                // The lease lapses, and whoever gets the task finds the publication.
                return false;
            }
        }
    }

    private static async Task MentionAsync(Task mention)
    {
        try
        {
            await mention.ConfigureAwait(false);
        }
        catch (QueueException)
        {
            // The next state says more.
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
