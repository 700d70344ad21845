using System.Management.Automation;

using Sisyphus.Engine.Storage;
using Sisyphus.PowerShell.Documents;

namespace Sisyphus.PowerShell.Running;

/// <summary>The progress bar of a copy.</summary>
internal sealed class TransferProgressBar(string activity, Action<ProgressRecord> write, TimeProvider time)
{
    private const int ActivityId = 1;
    private long _written;
    private bool _shown;

    public void Show(TransferProgress progress)
    {
        if (_shown && time.GetElapsedTime(_written) < TaskProgress.MinInterval)
            return;
        _written = time.GetTimestamp();
        _shown = true;
        write(new ProgressRecord(ActivityId, activity, $"{progress.Objects} of {progress.TotalObjects} objects, {ByteText.Of(progress.Bytes)} of {ByteText.Of(progress.TotalBytes)}")
        {
            PercentComplete = progress.TotalBytes > 0 ? (int)Math.Clamp(progress.Bytes * 100.0 / progress.TotalBytes, 0, 100) : -1,
        });
    }

    public void Completed()
    {
        if (_shown)
            write(new ProgressRecord(ActivityId, activity, "Finished") { RecordType = ProgressRecordType.Completed });
        _shown = false;
    }
}
