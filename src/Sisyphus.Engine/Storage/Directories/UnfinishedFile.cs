using Microsoft.Win32.SafeHandles;
using Sisyphus.Engine.Storage.Checksums;
using Sisyphus.Engine.Storage.Transfers;

namespace Sisyphus.Engine.Storage.Directories;

/// <summary>A file in the making, on the file system of its bucket, that becomes an object all at once or leaves nothing behind.</summary>
internal sealed class UnfinishedFile : IDisposable
{
    // A writer that removes empty folders and one that makes them can meet; each meeting costs one round.
    private const int PlacingRounds = 100;
    private const int ExistsErrno = 17;
    private const int ExistsWindows = unchecked((int)0x800700B7);

    private readonly string _bucketFolder;
    private readonly string _path;
    private readonly SafeFileHandle _handle;
    private Crc32C _crc;
    private long _size;

    private UnfinishedFile(string bucketFolder, string path, SafeFileHandle handle) => (_bucketFolder, _path, _handle) = (bucketFolder, path, handle);

    /// <summary>Of what was written.</summary>
    public uint Crc32C => _crc.Value;

    public SafeFileHandle Handle => _handle;

    public static UnfinishedFile Create(string bucketFolder)
    {
        var path = NewPath(bucketFolder);
        return new UnfinishedFile(bucketFolder, path, File.OpenHandle(path, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete));
    }

    /// <summary>Another name for a file that is complete.</summary>
    /// <returns>Null where the file system has no second names.</returns>
    public static UnfinishedFile? TryLink(string bucketFolder, string existing)
    {
        var path = NewPath(bucketFolder);
        if (OperatingSystem.IsWindows() || UnixNative.Link(existing, path) != 0)
            return null;
        try
        {
            return new UnfinishedFile(bucketFolder, path, File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete));
        }
        catch
        {
            File.Delete(path);
            throw;
        }
    }

    /// <summary>Removes what a process that died left in the bucket.</summary>
    public static void Sweep(string bucketFolder, DateTime writtenBeforeUtc)
    {
        var folder = new DirectoryInfo(Path.Combine(bucketFolder, KeyPath.TemporaryFolder));
        if (!folder.Exists)
            return;
        foreach (var file in folder.EnumerateFiles())
        {
            try
            {
                if (file.LastWriteTimeUtc < writtenBeforeUtc)
                    file.Delete();
            }
            catch (Exception e) when (StoreFailures.IsIO(e))
            {
                // Another user's: he sweeps his own.
            }
        }
    }

    /// <param name="failed">Makes the exception for an error on our side; errors of <paramref name="content"/> pass as they are.</param>
    public Task WriteAsync(Stream content, Func<Exception, Exception> failed, CancellationToken cancellationToken) => StreamPump.CopyAsync(
        content,
        bytes =>
        {
            try
            {
                Write(bytes);
            }
            catch (Exception e) when (StoreFailures.IsIO(e))
            {
                throw failed(e);
            }
        },
        cancellationToken);

    public void Write(ReadOnlySpan<byte> bytes)
    {
        RandomAccess.Write(_handle, bytes, _size);
        _crc.Append(bytes);
        _size += bytes.Length;
    }

    /// <summary>Makes it durable under the name, in place of what has the name now.</summary>
    public FileIdentity Replace(string target) => Place(target, () =>
    {
        File.Move(_path, target, overwrite: true);
        return true;
    })!.Value;

    /// <summary>As <see cref="Replace"/>, but only where the name is free.</summary>
    /// <returns>Null when it is not.</returns>
    public FileIdentity? TryPlace(string target) => Place(target, () => AtomicCreate.TryMove(_path, target));

    public void Dispose()
    {
        _handle.Dispose();
        try
        {
            File.Delete(_path);
        }
        catch (Exception e) when (StoreFailures.IsIO(e))
        {
            // Swept later; the caller's own error is the one to report.
        }
    }

    private static string NewPath(string bucketFolder)
    {
        var folder = Path.Combine(bucketFolder, KeyPath.TemporaryFolder);
        Directory.CreateDirectory(folder);
        return Path.Combine(folder, Guid.CreateVersion7().ToString("N"));
    }

    private FileIdentity? Place(string target, Func<bool> move)
    {
        RandomAccess.FlushToDisk(_handle);
        if (OperatingSystem.IsWindows())
            _handle.Dispose(); // An open file can't be renamed there.
        var parent = Path.GetDirectoryName(target)!;
        for (var round = 1; ; round++)
        {
            var durable = LowestExisting(parent);
            try
            {
                Directory.CreateDirectory(parent);
                if (!move())
                    return null;
            }
            catch (Exception e) when (round < PlacingRounds && (e is DirectoryNotFoundException or FileNotFoundException || WasThereAMomentAgo(e, parent)))
            {
                continue; // Somebody removed the folder because it was empty.
            }
            catch (Exception e) when (StoreFailures.IsIO(e) && round < PlacingRounds && TryRemoveEmptyFolder(target))
            {
                continue;
            }
            // The handle is of the file that we moved, whatever has taken its name since.
            var identity = _handle.IsClosed ? FileIdentity.Find(target) : FileIdentity.Find(_handle, target);
            SyncNames(parent, durable);
            return identity ?? throw new FileNotFoundException($"'{target}' was removed as soon as it was written.", target);
        }
    }

    // Directory.CreateDirectory throws this for a folder that is there when it makes it and gone when it looks what is there.
    private static bool WasThereAMomentAgo(Exception error, string folder) =>
        error is IOException { HResult: ExistsErrno or ExistsWindows } && !File.Exists(folder);

    // A folder without any file in it holds no object, so it must not keep the name from one.
    private static bool TryRemoveEmptyFolder(string target)
    {
        try
        {
            if (!Directory.Exists(target))
                return false;
            Directory.Delete(target);
            return true;
        }
        catch (Exception e) when (StoreFailures.IsIO(e))
        {
            return false;
        }
    }

    private string LowestExisting(string folder)
    {
        while (folder.Length > _bucketFolder.Length && !Directory.Exists(folder))
            folder = Path.GetDirectoryName(folder)!;
        return folder;
    }

    private static void SyncNames(string from, string upTo)
    {
        if (OperatingSystem.IsWindows())
            return; // NTFS logs the names itself.
        for (var folder = from; ; folder = Path.GetDirectoryName(folder)!)
        {
            UnixNative.SyncDirectory(folder);
            if (folder.Length <= upTo.Length)
                return;
        }
    }
}
