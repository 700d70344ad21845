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

    public static void Check(BucketFolder bucket, string path, string key)
    {
        if (Find(bucket, path, key) is { } message)
            throw new TaskFailureException(FailureReason.InvalidDocument, message);
    }

    /// <summary>Whether new objects would be in each other's way.</summary>
    public static void Check(BucketFolder bucket, IReadOnlyList<string> keys)
    {
        var all = keys.ToHashSet(StringComparer.Ordinal);
        foreach (var key in keys)
        {
            for (var slash = key.IndexOf('/'); slash >= 0; slash = key.IndexOf('/', slash + 1))
            {
                if (all.Contains(key[..slash]))
                    throw new TaskFailureException(FailureReason.InvalidDocument, $"{bucket.Describe(key)} can't be written beside {bucket.Describe(key[..slash])}: in a folder a name is either a file or a folder.");
            }
        }
    }

    private static string? Find(BucketFolder bucket, string path, string key)
    {
        if (Directory.Exists(path) && Directory.EnumerateFileSystemEntries(path).Any())
            return $"{bucket.Describe(key)} can't be written: there is a folder {bucket.Describe(key)}/ already, and in a folder a name is either a file or a folder.";
        for (var parent = Path.GetDirectoryName(path)!; parent.Length > bucket.Folder.Length; parent = Path.GetDirectoryName(parent)!)
        {
            if (File.Exists(parent))
                return $"{bucket.Describe(key)} can't be written: '{Path.GetRelativePath(bucket.Folder, parent)}' is an object, and in a folder a name is either a file or a folder.";
        }
        return null;
    }
}
