using System.Runtime.ExceptionServices;

namespace Sisyphus.Engine.Execution;

/// <summary>Steps that run at the same time and stand or fall together.</summary>
internal static class Together
{
    /// <summary>Waits for all of them; the first that fails cancels the others and is the one whose error is thrown, not the cancellations that followed.</summary>
    public static async Task WhenAllAsync(CancellationTokenSource others, params Task[] tasks)
    {
        Exception? first = null;
        var pending = new HashSet<Task>(tasks);
        while (pending.Count > 0)
        {
            var done = await Task.WhenAny(pending).ConfigureAwait(false);
            pending.Remove(done);
            if (done.IsCompletedSuccessfully || first is not null)
                continue;
            first = done.Exception?.InnerException ?? new OperationCanceledException(others.Token);
            await others.CancelAsync().ConfigureAwait(false);
        }

        if (first is not null)
            ExceptionDispatchInfo.Throw(first);
    }
}
