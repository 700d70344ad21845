namespace Sisyphus.Engine.Storage.Directories;

/// <summary>Deletes an object's file and the folders that are empty without it, but never the bucket's own.</summary>
internal static class FolderPruning
{
    public static void Delete(string bucketFolder, string path)
    {
        if (Directory.Exists(path))
            return; // A folder is no object, and there is none of that key.
        try
        {
            File.Delete(path);
        }
        catch (DirectoryNotFoundException)
        {
            return;
        }
        try
        {
            for (var folder = Path.GetDirectoryName(path)!; folder.Length > bucketFolder.Length; folder = Path.GetDirectoryName(folder)!)
            {
                if (new DirectoryInfo(folder).LinkTarget is not null)
                    return; // Would delete the user's link.
                // Not recursive: fails unless it is empty at that very moment. A writer whose folder goes away makes it again.
                Directory.Delete(folder);
            }
        }
        catch (Exception e) when (StoreFailures.IsIO(e))
        {
            // Not empty.
        }
    }
}
