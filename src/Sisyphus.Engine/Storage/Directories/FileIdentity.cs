using System.Globalization;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Sisyphus.Engine.Storage.Directories;

/// <summary>What tells one generation of a file from the next: its inode, the birth of that inode, the time of the last write, the size.</summary>
/// <remarks>Not the time of the last status change: a hard link made or removed changes that, and the content is the same. The birth guards against an inode number used again.</remarks>
internal readonly partial record struct FileIdentity(ulong Inode, long Born, long Written, long Size)
{
    private const int EmptyPath = 0x1000; // AT_EMPTY_PATH
    private const int CurrentDirectory = -100; // AT_FDCWD
    private const uint Wanted = 0x7FF | 0x800; // STATX_BASIC_STATS | STATX_BTIME
    private const int TypeMask = 0xF000;
    private const int RegularType = 0x8000;
    private const long NanosecondsPerSecond = 1_000_000_000;

    public string Generation => string.Create(CultureInfo.InvariantCulture, $"{Inode:x}-{Born:x}-{Written:x}-{Size:x}");

    public DateTimeOffset Modified => DateTimeOffset.UnixEpoch.AddTicks(Written / TimeSpan.NanosecondsPerTick);

    /// <summary>Of the regular file at the path (links followed), or null when there is none.</summary>
    public static FileIdentity? Find(string path)
    {
        if (!OperatingSystem.IsLinux())
            return Of(new FileInfo(path));
        if (Statx(CurrentDirectory, path, 0, Wanted, out var stat) == 0)
            return Of(stat);
        return Marshal.GetLastPInvokeError() switch
        {
            UnixNative.NoEntry or UnixNative.NotADirectory => null,
            13 => throw new UnauthorizedAccessException(path),
            var errno => throw new IOException($"{path}: {Marshal.GetPInvokeErrorMessage(errno)}", errno),
        };
    }

    /// <summary>Of an open regular file.</summary>
    /// <param name="path">Asked instead where the platform has no other way.</param>
    public static FileIdentity? Find(SafeFileHandle handle, string path)
    {
        if (!OperatingSystem.IsLinux())
            return Of(new FileInfo(path));
        return Statx((int)handle.DangerousGetHandle(), "", EmptyPath, Wanted, out var stat) == 0 ? Of(stat) : null;
    }

    private static FileIdentity? Of(in StatxBuffer stat) => (stat.Mode & TypeMask) != RegularType
        ? null
        : new FileIdentity(stat.Inode, (stat.BornSeconds * NanosecondsPerSecond) + stat.BornNanoseconds, (stat.WrittenSeconds * NanosecondsPerSecond) + stat.WrittenNanoseconds, (long)stat.Size);

    private static FileIdentity? Of(FileInfo file) => !file.Exists
        ? null
        : new FileIdentity(0, Nanoseconds(file.CreationTimeUtc), Nanoseconds(file.LastWriteTimeUtc), file.Length);

    private static long Nanoseconds(DateTime time) => (time - DateTime.UnixEpoch).Ticks * TimeSpan.NanosecondsPerTick;

    [LibraryImport("libc", EntryPoint = "statx", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Statx(int directory, string path, int flags, uint mask, out StatxBuffer buffer);

    // struct statx of linux/stat.h: the same on every architecture.
    [StructLayout(LayoutKind.Explicit, Size = 256)]
    private struct StatxBuffer
    {
        [FieldOffset(28)] public ushort Mode;
        [FieldOffset(32)] public ulong Inode;
        [FieldOffset(40)] public ulong Size;
        [FieldOffset(80)] public long BornSeconds;
        [FieldOffset(88)] public uint BornNanoseconds;
        [FieldOffset(112)] public long WrittenSeconds;
        [FieldOffset(120)] public uint WrittenNanoseconds;
    }
}
