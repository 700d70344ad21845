using System.Runtime.InteropServices;

namespace Sisyphus.Engine.Storage.Directories;

/// <summary>Gives a finished file its name unless the name is taken: of any number of callers in any number of processes, one.</summary>
internal static class AtomicCreate
{
    /// <returns>False when the name is taken.</returns>
    public static bool TryMove(string from, string to)
    {
        if (OperatingSystem.IsWindows())
            return TryMoveOnWindows(from, to);

        // Not File.Move: on Unix it looks first and renames then. link(2) is atomic on every file system that has it, NFS included.
        var errno = UnixNative.Link(from, to);
        if (errno == 0)
        {
            File.Delete(from);
            return true;
        }
        // Over NFS the answer to a link that was made can be lost, and the repeated request then meets its own first try.
        if (errno == UnixNative.Exists && !Directory.Exists(to))
            return FileIdentity.Find(to) is { Inode: not 0 } there && there == FileIdentity.Find(from);
        if (errno is not (UnixNative.NoEntry or UnixNative.Exists) && OperatingSystem.IsLinux())
        {
            // No hard links on this file system (FAT, some FUSE).
            errno = UnixNative.RenameNoReplace(from, to);
            if (errno == 0)
                return true;
            if (errno == UnixNative.Exists)
                return false;
        }
        throw errno switch
        {
            UnixNative.NoEntry => new DirectoryNotFoundException(to),
            UnixNative.NoPermission or 13 => new UnauthorizedAccessException(to),
            _ => new IOException($"'{to}' can't be created: {Marshal.GetPInvokeErrorMessage(errno)}", errno),
        };
    }

    private static bool TryMoveOnWindows(string from, string to)
    {
        try
        {
            File.Move(from, to, overwrite: false);
            return true;
        }
        catch (IOException) when (File.Exists(to))
        {
            return false;
        }
    }
}
