using Sisyphus.Engine.Storage.Checksums;

namespace Sisyphus.Engine.Storage.Transfers;

/// <summary>From an object to a file.</summary>
public sealed record FileDownload(IObjectStore Store, ObjectInfo From, string Source, string File) : ObjectTransfer(Source, File, From.Size)
{
    private const int BufferSize = 128 * 1024;

    internal override async Task<ObjectInfo?> RunAsync(Action<int> moved, CancellationToken cancellationToken)
    {
        var folder = Path.GetDirectoryName(File)!;
        Directory.CreateDirectory(folder);
        var unfinished = Path.Combine(folder, $".sisyphus-{Guid.NewGuid():N}");
        try
        {
            await WriteAsync(unfinished, moved, cancellationToken).ConfigureAwait(false);
            System.IO.File.Move(unfinished, File, overwrite: true);
        }
        catch
        {
            System.IO.File.Delete(unfinished);
            throw;
        }
        return null;
    }

    private async Task WriteAsync(string path, Action<int> moved, CancellationToken cancellationToken)
    {
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, BufferSize = 0, Options = FileOptions.Asynchronous, PreallocationSize = From.Size };
        var file = new FileStream(path, options);
        await using (file.ConfigureAwait(false))
        {
            var source = await Store.OpenReadAsync(From, 0, cancellationToken).ConfigureAwait(false);
            await using (source.ConfigureAwait(false))
            {
                using var content = new HashingStream(source, moved);
                await content.CopyToAsync(file, BufferSize, cancellationToken).ConfigureAwait(false);
                TransferVerification.Require(From, content.Current);
            }
        }
    }
}
