using Sisyphus.Engine.Storage.Directories;

namespace Sisyphus.Engine.Storage;

/// <summary>Files of this machine that a finished file takes the place of. The rename would put it in the place of anything: root has made a file of <c>/dev/null</c> so.</summary>
public static class ReplaceableFile
{
    /// <param name="path">Absolute; links are followed.</param>
    /// <exception cref="IOException">There is something that is neither a regular file nor a folder, or a link to nothing.</exception>
    public static void Require(string path)
    {
        if (IsOther(path))
            throw new IOException($"'{path}' is no regular file, but a pipe, a device or a link to nothing, and is not replaced.");
    }

    /// <summary>Whether there is something that is neither a regular file nor a folder. To open a pipe would wait for its other end.</summary>
    internal static bool IsOther(string path) => File.Exists(path) && FileIdentity.Find(path) is null;
}
