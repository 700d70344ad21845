using Microsoft.Win32.SafeHandles;
using Sisyphus.Engine.Storage.Checksums;
using Sisyphus.Engine.Storage.Directories;

namespace Sisyphus.Engine.Storage.Cache;

/// <summary>The cache's files: finding, publishing and evicting them, safely beside other processes that do the same.</summary>
/// <remarks>
/// A lease holds a shared lock on the file (flock through <see cref="FileShare.Read"/>) and eviction needs it alone, so the kernel keeps the
/// two apart across processes, and a process that dies leaves no lease behind. The time of last write is the time of last use.
/// Files are not flushed to the disk: one that was last used before the machine started is checked against its name before it is believed.
/// </remarks>
internal sealed class CacheFolder
{
    private const UnixFileMode ReadOnlyMode = UnixFileMode.UserRead | UnixFileMode.GroupRead | UnixFileMode.OtherRead;
    private static readonly TimeSpan UnfinishedFileAge = TimeSpan.FromDays(1);

    private readonly string _objects;
    private readonly string _unfinished;
    private readonly DateTime _bootedUtc;

    /// <param name="bootedUtc">When the machine started.</param>
    public CacheFolder(string folder, DateTime bootedUtc)
    {
        _objects = Path.Combine(folder, "objects");
        _unfinished = Path.Combine(folder, "unfinished");
        _bootedUtc = bootedUtc;
        Directory.CreateDirectory(_objects);
        Directory.CreateDirectory(_unfinished);
        foreach (var file in new DirectoryInfo(_unfinished).EnumerateFiles())
        {
            if (file.LastWriteTimeUtc < DateTime.UtcNow - UnfinishedFileAge)
                TryDelete(file.FullName);
        }
    }

    public string NewUnfinishedPath() => Path.Combine(_unfinished, Guid.CreateVersion7().ToString("N"));

    /// <returns>Null when the object is not there, or not whole.</returns>
    public CacheLease? TryLease(string entry)
    {
        var folder = Path.Combine(_objects, entry[..2], entry);
        if (!Directory.Exists(folder))
            return null;
        try
        {
            foreach (var path in Directory.EnumerateFiles(folder))
            {
                if (CacheEntry.Parse(Path.GetFileName(path)) is { } sums && TryLease(path, sums) is { } lease)
                    return lease;
            }
        }
        catch (DirectoryNotFoundException)
        {
            // Evicted just now.
        }
        return null;
    }

    /// <summary>Gives a complete file its place, or drops it when another process was faster.</summary>
    /// <returns>Null when it was evicted at once.</returns>
    public CacheLease? Publish(string unfinished, string entry, ContentSums sums)
    {
        var path = Path.Combine(_objects, entry[..2], entry, CacheEntry.FileName(sums));
        if (OperatingSystem.IsWindows())
            File.SetAttributes(unfinished, FileAttributes.ReadOnly);
        else
            File.SetUnixFileMode(unfinished, ReadOnlyMode);
        while (true)
        {
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            try
            {
                if (!AtomicCreate.TryMove(unfinished, path))
                {
                    if (TryLease(path, sums) is { } existing)
                    {
                        TryDelete(unfinished);
                        return existing;
                    }
                    // Damaged, or locked by a program in a container that has it mounted.
                    File.Move(unfinished, path, overwrite: true);
                }
                return TryLease(path, sums);
            }
            catch (DirectoryNotFoundException) when (File.Exists(unfinished))
            {
                // An eviction removed the folder in between.
            }
        }
    }

    /// <summary>Removes what was used least recently and is not leased, until no more than <paramref name="bytes"/> are left.</summary>
    /// <returns>Bytes left.</returns>
    public long Shrink(long bytes)
    {
        var files = new DirectoryInfo(_objects).EnumerateFiles("*", SearchOption.AllDirectories).Select(file => (file.FullName, file.LastWriteTimeUtc, file.Length)).ToList();
        var left = files.Sum(file => file.Length);
        foreach (var (path, _, length) in files.OrderBy(file => file.LastWriteTimeUtc))
        {
            if (left <= bytes)
                break;
            if (TryEvict(path))
                left -= length;
        }
        return left;
    }

    private CacheLease? TryLease(string path, ContentSums sums)
    {
        SafeFileHandle handle;
        try
        {
            handle = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.Read);
        }
        catch (Exception e) when (StoreFailures.IsIO(e))
        {
            return null; // Gone, or being evicted.
        }
        var identity = FileIdentity.Find(path);
        // Without the lock until now, so the name may have gone to another file.
        if (identity is { } there && there == FileIdentity.Find(handle, path) && IsWhole(handle, there, sums))
        {
            File.SetLastWriteTimeUtc(handle, DateTime.UtcNow);
            return new CacheLease(path, sums, handle);
        }
        handle.Dispose();
        if (identity is not null)
            TryEvict(path);
        return null;
    }

    private bool IsWhole(SafeFileHandle handle, FileIdentity identity, ContentSums sums)
    {
        if (identity.Size != sums.Size)
            return false;
        return identity.Modified.UtcDateTime >= _bootedUtc || Crc32COf(handle) == sums.Crc32C;
    }

    private static uint Crc32COf(SafeFileHandle handle)
    {
        var crc = new Crc32C();
        var buffer = new byte[256 * 1024];
        var position = 0L;
        for (int count; (count = RandomAccess.Read(handle, buffer, position)) > 0; position += count)
            crc.Append(buffer.AsSpan(0, count));
        return crc.Value;
    }

    private static bool TryEvict(string path)
    {
        try
        {
            if (OperatingSystem.IsWindows())
            {
                // There an open file can't be deleted, which is lock enough.
                File.SetAttributes(path, FileAttributes.Normal);
                File.Delete(path);
            }
            else
            {
                using var alone = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.None);
                File.Delete(path);
            }
            Directory.Delete(Path.GetDirectoryName(path)!);
            return true;
        }
        catch (FileNotFoundException)
        {
            return true;
        }
        catch (Exception e) when (StoreFailures.IsIO(e))
        {
            return !File.Exists(path);
        }
    }

    private static void TryDelete(string path)
    {
        try
        {
            File.Delete(path);
        }
        catch (Exception e) when (StoreFailures.IsIO(e))
        {
            // The next start tries again.
        }
    }
}
