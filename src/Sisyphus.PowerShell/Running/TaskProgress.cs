using System.Management.Automation;

using Sisyphus.Engine.Containers;
using Sisyphus.Engine.Storage;
using Sisyphus.PowerShell.Documents;

namespace Sisyphus.PowerShell.Running;

/// <summary>The progress bar of one task.</summary>
/// <param name="parent">Id of the activity that the bar stands beneath, or -1.</param>
internal sealed class TaskProgress(int activityId, string title, Action<ProgressRecord> write, TimeProvider time, int parent = -1)
{
    /// <summary>A console can't show more, and each record costs more than the event behind it.</summary>
    public static readonly TimeSpan MinInterval = TimeSpan.FromMilliseconds(200);

    // Pulling and staging go on at the same time.
    private string _pull = "";
    private string _transfer = "";
    private long _written;
    private bool _shown;

    public int ActivityId => activityId;

    public void Pulling(string image, PullProgress progress)
    {
        _pull = progress.TotalBytes > 0
            ? $"Pulling {image}: {ByteText.Of(progress.Bytes)} of {ByteText.Of(progress.TotalBytes)}"
            : $"Pulling {image}: {progress.Status}";
        // What is no count, such as the wait for another try, is said once.
        Show(Joined(), Percent(progress.Bytes, progress.TotalBytes), now: progress.TotalBytes == 0);
    }

    public void Transferring(string verb, TransferProgress progress)
    {
        _transfer = $"{verb}: {progress.Objects} of {progress.TotalObjects} objects, {ByteText.Of(progress.Bytes)} of {ByteText.Of(progress.TotalBytes)}";
        Show(Joined(), Percent(progress.Bytes, progress.TotalBytes), now: false);
    }

    /// <summary>A phase begins; shown even when the last record is not old yet, for the phase may be silent for hours.</summary>
    public void Phase(string status)
    {
        _pull = _transfer = "";
        Show(status, -1, now: true);
    }

    public void Completed()
    {
        if (_shown)
            write(new ProgressRecord(activityId, title, "Finished") { RecordType = ProgressRecordType.Completed, ParentActivityId = parent });
        _shown = false;
    }

    private string Joined() => _pull.Length > 0 && _transfer.Length > 0 ? $"{_pull}; {_transfer}" : _pull + _transfer;

    private static int Percent(long done, long total) => total > 0 ? (int)Math.Clamp(done * 100.0 / total, 0, 100) : -1;

    private void Show(string status, int percent, bool now)
    {
        if (!now && _shown && time.GetElapsedTime(_written) < MinInterval)
            return;
        _written = time.GetTimestamp();
        _shown = true;
        write(new ProgressRecord(activityId, title, status) { PercentComplete = percent, ParentActivityId = parent });
    }
}
