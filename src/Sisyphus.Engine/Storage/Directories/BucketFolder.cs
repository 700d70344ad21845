using System.Text;
using Sisyphus.Engine.Tasks;

namespace Sisyphus.Engine.Storage.Directories;

/// <summary>The folder of one bucket: where the file of a key is, and that it is really below that folder.</summary>
/// <param name="Bucket">Its name; empty for the folder of <c>file://</c> paths in documents.</param>
/// <param name="Folder">Absolute; may itself be a symbolic link, which is the operator's choice.</param>
/// <param name="Location">As a user writes it, with a scheme; names objects where there is no bucket name.</param>
internal sealed record BucketFolder(string Bucket, string Folder, string Location)
{
    private const int MaxKeyBytes = 1024;
    private static readonly int MaxPathBytes = OperatingSystem.IsMacOS() ? 1023 : 4095;
    private static readonly UTF8Encoding Strict = new(false, throwOnInvalidBytes: true);

    public string Describe(string key) => Bucket.Length > 0 ? $"{Bucket}:{key}" : $"{Location.TrimEnd('/')}/{key}";

    /// <summary>Absolute path of the file of a key.</summary>
    public string PathOf(string key)
    {
        int bytes;
        try
        {
            bytes = Strict.GetByteCount(key);
        }
        catch (EncoderFallbackException e)
        {
            throw new TaskFailureException(FailureReason.InvalidDocument, $"A key in bucket '{Bucket}' is not valid Unicode (half of a surrogate pair).", e);
        }
        if (bytes is 0 or > MaxKeyBytes)
            throw new TaskFailureException(FailureReason.InvalidDocument, $"{Describe(key)}: a key has 1 to {MaxKeyBytes} bytes in UTF-8, this one {bytes}.");
        var path = Path.Combine(Folder, KeyPath.Encode(key, OperatingSystem.IsWindows()).Replace('/', Path.DirectorySeparatorChar));
        if (!OperatingSystem.IsWindows() && Encoding.UTF8.GetByteCount(path) > MaxPathBytes)
            throw new TaskFailureException(FailureReason.InvalidDocument, $"{Describe(key)}: the path of the file would be longer than the {MaxPathBytes} bytes that the system can open.");
        return path;
    }

    /// <summary>Refuses a path below the folder that a symbolic link leads out of the bucket.</summary>
    /// <remarks>Guards against links that are there, not against somebody who may write in the bucket and swaps one in at this very moment: he has the data anyway.</remarks>
    public void RequireInside(string path, string key)
    {
        for (var end = Folder.Length; end < path.Length;)
        {
            end = path.IndexOf(Path.DirectorySeparatorChar, end + 1) is var next && next < 0 ? path.Length : next;
            if (new FileInfo(path[..end]).LinkTarget is null)
                continue;
            if (!IsInside(path))
                throw new TaskFailureException(FailureReason.InputDenied, $"{Describe(key)} is refused: '{path[..end]}' is a symbolic link that leads out of the bucket.");
            return;
        }
    }

    private bool IsInside(string path)
    {
        if (OperatingSystem.IsWindows())
            return false; // No cheap and safe answer there, so no links.
        var real = UnixNative.RealPath(path);
        var folder = UnixNative.RealPath(Folder);
        // A link to nothing opens nothing.
        return real is null || folder is null || (real + '/').StartsWith(folder.TrimEnd('/') + '/', StringComparison.Ordinal);
    }
}
