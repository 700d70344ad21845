namespace Sisyphus.Engine.Storage.Transfers;

/// <summary>From an object to a file.</summary>
public sealed record FileDownload(IObjectStore Store, ObjectInfo From, string Source, string File) : ObjectTransfer(Source, File, From.KnownSize)
{
    internal override async Task<ObjectInfo?> RunAsync(TransferScheduler scheduler, TransferMeter meter, CancellationToken cancellationToken)
    {
        var folder = Path.GetDirectoryName(File)!;
        Directory.CreateDirectory(folder);
        ReplaceableFile.Require(File);
        // Beside its destination, so that the last step is a rename.
        var unfinished = Path.Combine(folder, $".sisyphus-{Guid.NewGuid():N}");
        try
        {
            await new Download(scheduler).ToFileAsync(new DownloadItem(Store, From, unfinished), meter, cancellationToken).ConfigureAwait(false);
            System.IO.File.Move(unfinished, File, overwrite: true);
        }
        catch
        {
            System.IO.File.Delete(unfinished);
            throw;
        }
        return null;
    }
}
