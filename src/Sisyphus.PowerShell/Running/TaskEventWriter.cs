using System.Management.Automation;

using Sisyphus.Engine.Execution;
using Sisyphus.Engine.Tasks;

namespace Sisyphus.PowerShell.Running;

/// <summary>Writes what happens to tasks to the streams of a cmdlet. Runs on the pipeline's thread.</summary>
/// <param name="errors">A task that ended badly is an error too.</param>
/// <param name="verbose">The verbose stream is on: the tasks' output goes there instead of to the information stream.</param>
/// <param name="parent">Id of the activity that the tasks' bars stand beneath, or 0 for none.</param>
internal sealed class TaskEventWriter(PSCmdlet cmdlet, bool verbose, bool errors = true, int parent = 0)
{
    public const string OutputTag = "Sisyphus.Output";

    private readonly Dictionary<string, TaskProgress> _progress = [];
    private readonly Dictionary<string, string> _titles = [];

    /// <summary>Tasks whose bar is up.</summary>
    public int Shown => _progress.Count;

    public void Submitted(TaskDocument task) => _titles[task.Id!] = task.ToString();

    public void Write(TaskEvent happened) => Write(happened, _titles.GetValueOrDefault(happened.TaskId, happened.TaskId));

    public void Write(TaskEvent happened, string title)
    {
        switch (happened)
        {
            case OutputLineReceived line:
                WriteLine(title, TaskOutputLine.From(line));
                break;
            case TaskStateChanged change:
                WriteVerbose($"{title}: {change.State}, attempt {change.Attempt}");
                if (change.State == TaskState.Queued)
                    EndProgress(change.TaskId);
                if (change.State is TaskState.Initializing or TaskState.Running)
                    Progress(change.TaskId, title).Phase(change.State == TaskState.Running ? "Running" : "Preparing");
                break;
            case ImagePullProgressed pull:
                Progress(pull.TaskId, title).Pulling(pull.Image, pull.Progress);
                break;
            case StagingProgressed staging:
                Progress(staging.TaskId, title).Transferring("Staging", staging.Progress);
                break;
            case CommandStarted command:
                WriteVerbose($"{title}: command {command.Index + 1} of {command.Count}: {command.Command}");
                Progress(command.TaskId, title).Phase($"Running {command.Index + 1} of {command.Count}: {command.Command}");
                break;
            case PublishingProgressed publishing:
                Progress(publishing.TaskId, title).Transferring("Publishing", publishing.Progress);
                break;
            case TaskWarned warning:
                cmdlet.WriteWarning($"{title}: {warning.Message}");
                break;
            case AttemptFailed { RetryAfter: { } pause } failed:
                cmdlet.WriteWarning($"{title}: attempt {failed.Attempt} failed ({failed.Reason.ToWord()}): {failed.Message} Next attempt in {pause.TotalSeconds:0.#} s.");
                break;
            case TaskFinished finished:
                WriteResult(finished.Result);
                break;
        }
    }

    /// <summary>Takes down the bars of tasks that did not come to their end.</summary>
    public void CompleteProgress()
    {
        foreach (var progress in _progress.Values)
            progress.Completed();
        _progress.Clear();
    }

    // The result first: it is worth having even where -ErrorAction Stop makes the error the end.
    private void WriteResult(TaskResult result)
    {
        EndProgress(result.Id);
        _titles.Remove(result.Id);
        cmdlet.WriteObject(result);
        if (errors && result.State != TaskState.Complete)
            cmdlet.WriteError(result.ToErrorRecord());
    }

    private void EndProgress(string taskId)
    {
        if (_progress.Remove(taskId, out var progress))
            progress.Completed();
    }

    private void WriteLine(string title, TaskOutputLine line)
    {
        if (verbose)
            cmdlet.WriteVerbose($"{title}: {line.Stream}: {line.Line}");
        else
            cmdlet.WriteInformation(line, [OutputTag, line.Stream]);
    }

    private void WriteVerbose(string text)
    {
        if (verbose)
            cmdlet.WriteVerbose(text);
    }

    private TaskProgress Progress(string taskId, string title)
    {
        if (!_progress.TryGetValue(taskId, out var progress))
            _progress[taskId] = progress = new TaskProgress(FreeActivity(), $"Task {title}", cmdlet.WriteProgress, TimeProvider.System, parent > 0 ? parent : -1);
        return progress;
    }

    /// <summary>The lowest that no bar has, so that a slot's tasks follow each other on one line.</summary>
    private int FreeActivity() => Enumerable.Range(parent + 1, _progress.Count + 1).Except(_progress.Values.Select(progress => progress.ActivityId)).First();
}
