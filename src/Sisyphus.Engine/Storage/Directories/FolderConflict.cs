using Sisyphus.Engine.Tasks;

namespace Sisyphus.Engine.Storage.Directories;

/// <summary>What only folders cannot hold: an object <c>a</c> and an object <c>a/b</c> in one bucket.</summary>
internal static class FolderConflict
{
    /// <summary>Runs <paramref name="write"/> and tells this case from other I/O errors.</summary>
    public static T Explain<T>(BucketFolder bucket, string path, string key, Func<T> write)
    {
        try
        {
            return write();
        }
        catch (Exception e) when (StoreFailures.IsIO(e) && Find(bucket, path, key) is { } message)
        {
            throw new TaskFailureException(FailureReason.InvalidDocument, message, e);
        }
    }

    private static string? Find(BucketFolder bucket, string path, string key)
    {
        if (Directory.Exists(path))
            return $"{bucket.Describe(key)} can't be written: there are objects below {bucket.Describe(key)}/, and in a folder a name is either a file or a folder.";
        for (var parent = Path.GetDirectoryName(path)!; parent.Length > bucket.Folder.Length; parent = Path.GetDirectoryName(parent)!)
        {
            if (File.Exists(parent))
                return $"{bucket.Describe(key)} can't be written: '{Path.GetRelativePath(bucket.Folder, parent)}' is an object, and in a folder a name is either a file or a folder.";
        }
        return null;
    }
}
