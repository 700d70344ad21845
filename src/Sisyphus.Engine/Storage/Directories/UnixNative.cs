using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using Microsoft.Win32.SafeHandles;

namespace Sisyphus.Engine.Storage.Directories;

/// <summary>The few calls of the C library that .NET has no method for.</summary>
[UnsupportedOSPlatform("windows")]
internal static partial class UnixNative
{
    public const int NoPermission = 1;
    public const int Exists = 17;
    public const int NoEntry = 2;
    public const int NotADirectory = 20;
    private const uint CloneIoctl = 0x40049409; // FICLONE, linux/fs.h
    private const uint NoReplace = 1; // RENAME_NOREPLACE, linux/fs.h
    private const int CurrentDirectory = -100; // AT_FDCWD

    /// <returns>0 or the errno.</returns>
    public static int Link(string existing, string name) => Result(LinkCore(existing, name));

    /// <summary>Renames unless the new name exists.</summary>
    /// <returns>0 or the errno.</returns>
    [SupportedOSPlatform("linux")]
    public static int RenameNoReplace(string from, string to) => Result(RenameAt2(CurrentDirectory, from, CurrentDirectory, to, NoReplace));

    /// <summary>Makes <paramref name="target"/> share the blocks of <paramref name="source"/> until one of them is written.</summary>
    /// <returns>Whether the file system can do that.</returns>
    [SupportedOSPlatform("linux")]
    public static bool TryClone(SafeFileHandle source, SafeFileHandle target) => IoCtl(target, CloneIoctl, source.DangerousGetHandle()) == 0;

    /// <summary>Makes the names in a directory durable.</summary>
    public static void SyncDirectory(string path)
    {
        var descriptor = Open(path, OperatingSystem.IsMacOS() ? 0x1000000 : 0x80000); // O_RDONLY | O_CLOEXEC
        if (descriptor < 0)
            return; // Removed again, or not ours to read: then its names are not ours to keep either.
        using var handle = new SafeFileHandle(descriptor, ownsHandle: true);
        // Some network file systems refuse it (EINVAL); what they promise of renames they promise without.
        _ = FSync(handle);
    }

    /// <summary>The path without symbolic links, or null when it leads nowhere.</summary>
    public static unsafe string? RealPath(string path)
    {
        var buffer = RealPathCore(path, 0);
        if (buffer == 0)
            return null;
        try
        {
            return Marshal.PtrToStringUTF8(buffer);
        }
        finally
        {
            NativeMemory.Free((void*)buffer);
        }
    }

    private static int Result(int returned) => returned == 0 ? 0 : Marshal.GetLastPInvokeError();

    [LibraryImport("libc", EntryPoint = "link", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int LinkCore(string existing, string name);

    [LibraryImport("libc", EntryPoint = "renameat2", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int RenameAt2(int fromDirectory, string from, int toDirectory, string to, uint flags);

    [LibraryImport("libc", EntryPoint = "ioctl", SetLastError = true)]
    private static partial int IoCtl(SafeFileHandle handle, nuint request, nint argument);

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    private static partial int FSync(SafeFileHandle handle);

    [LibraryImport("libc", EntryPoint = "realpath", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial nint RealPathCore(string path, nint buffer);
}
