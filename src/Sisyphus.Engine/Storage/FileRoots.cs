using Sisyphus.Engine.Tasks;

namespace Sisyphus.Engine.Storage;

/// <summary><c>file://</c> paths of documents: only below folders that the operator allows. Each such folder is a bucket without a name.</summary>
internal static class FileRoots
{
    /// <returns>The allowed folder, and the key in it.</returns>
    public static (string Folder, string Key) Split(RemotePath path, IEnumerable<string> roots)
    {
        var key = OperatingSystem.IsWindows() && path.Key.StartsWith('/') ? path.Key[1..] : path.Key;
        if (key.Split('/').Any(segment => segment is "." or ".."))
            throw Denied(path, "it has a '.' or '..' in it");
        string? best = null;
        foreach (var root in roots)
        {
            var folder = FolderPath(root);
            if (key.StartsWith(folder, OperatingSystem.IsWindows() ? StringComparison.OrdinalIgnoreCase : StringComparison.Ordinal) && folder.Length > (best?.Length ?? 0))
                best = folder;
        }
        if (best is null)
            throw Denied(path, "this node allows no folder that it is in");
        return (best, key[best.Length..]);
    }

    private static string FolderPath(string root)
    {
        var path = Path.TrimEndingDirectorySeparator(Path.GetFullPath(root));
        return (OperatingSystem.IsWindows() ? path.Replace('\\', '/') : path).TrimEnd('/') + '/';
    }

    private static TaskFailureException Denied(RemotePath path, string why) =>
        new(FailureReason.PolicyDenied, $"{path} is not allowed: {why}.");
}
