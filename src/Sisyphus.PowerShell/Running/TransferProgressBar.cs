using System.Management.Automation;

using Sisyphus.Engine.Storage;
using Sisyphus.PowerShell.Documents;

namespace Sisyphus.PowerShell.Running;

/// <summary>The progress bar of a copy or a removal.</summary>
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
        var bytes = progress.TotalBytes > 0 ? $", {ByteText.Of(progress.Bytes)} of {ByteText.Of(progress.TotalBytes)}, {ByteText.Of((long)progress.BytesPerSecond)}/s" : "";
        write(new ProgressRecord(ActivityId, activity, $"{progress.Objects} of {progress.TotalObjects} objects{bytes}")
        {
            PercentComplete = progress.TotalBytes > 0 ? Percent(progress.Bytes, progress.TotalBytes) : progress.TotalObjects > 0 ? Percent(progress.Objects, progress.TotalObjects) : -1,
            SecondsRemaining = progress.BytesPerSecond > 0 ? (int)Math.Clamp((progress.TotalBytes - progress.Bytes) / progress.BytesPerSecond, 0, int.MaxValue) : -1,
        });
    }

    private static int Percent(long done, long all) => (int)Math.Clamp(done * 100.0 / all, 0, 100);

    public void Completed()
    {
        if (_shown)
            write(new ProgressRecord(ActivityId, activity, "Finished") { RecordType = ProgressRecordType.Completed });
        _shown = false;
    }
}
