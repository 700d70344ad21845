using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using Microsoft.Win32.SafeHandles;
using Sisyphus.Engine.Tasks;

namespace Sisyphus.Engine.Storage.Directories;

/// <summary>Buckets that are folders, objects that are plain files in them. See docs/stores.md.</summary>
internal sealed class DirectoryObjectStore : IObjectStore
{
    public static readonly TimeSpan UnfinishedFileAge = TimeSpan.FromDays(1);

    private readonly string _folder;
    private readonly string? _onlyBucket;
    private readonly TimeProvider _time;
    private readonly ConcurrentDictionary<string, bool> _swept = new();

    private DirectoryObjectStore(string folder, string? onlyBucket, TimeProvider? time)
    {
        _folder = Path.TrimEndingDirectorySeparator(folder);
        _onlyBucket = onlyBucket;
        _time = time ?? TimeProvider.System;
        Name = FileLocation.ToText(_folder);
    }

    public string Name { get; }

    /// <summary>Every folder of <paramref name="root"/> is a bucket, but those whose name begins with a dot.</summary>
    public static DirectoryObjectStore OfRoot(string root, TimeProvider? time = null) => new(root, null, time);

    /// <summary>The folder is exactly the bucket.</summary>
    /// <param name="bucket">Empty for a folder that documents reach by <c>file://</c> paths.</param>
    public static DirectoryObjectStore OfBucket(string folder, string bucket, TimeProvider? time = null) => new(folder, bucket, time);

    public async IAsyncEnumerable<string> ListBucketsAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await Task.CompletedTask.ConfigureAwait(false);
        if (_onlyBucket is not null)
        {
            if (Directory.Exists(_folder))
                yield return _onlyBucket;
            yield break;
        }
        foreach (var bucket in Guard($"list the buckets of {Name}", () => BucketNames()))
            yield return bucket;
    }

    public Task<bool> BucketExistsAsync(string bucket, CancellationToken cancellationToken) =>
        Task.FromResult(Find(bucket) is { } found && Directory.Exists(found.Folder) && Guard($"read bucket '{bucket}' of {Name}", () => CanRead(found.Folder)));

    public async IAsyncEnumerable<ObjectInfo> ListAsync(string bucket, string prefix, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await Task.CompletedTask.ConfigureAwait(false);
        var found = RequireExisting(bucket);
        using var objects = new DirectoryListing(found).Enumerate(prefix, cancellationToken).GetEnumerator();
        while (Guard($"list {found.Describe(prefix)}", objects.MoveNext))
            yield return objects.Current;
    }

    public Task<ObjectInfo?> StatAsync(string bucket, string key, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (Find(bucket) is not { } found)
            return Task.FromResult<ObjectInfo?>(null);
        var path = found.PathOf(key);
        var identity = Guard($"read {found.Describe(key)}", () =>
        {
            found.RequireInside(path, key);
            return FileIdentity.Find(path);
        });
        return Task.FromResult(identity is { } there ? Info(found, key, there, null) : null);
    }

    public Task<Stream> OpenReadAsync(ObjectInfo info, long offset, long? length, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(offset, info.Size);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(length ?? 0, info.Size - offset);
        var found = RequireExisting(info.Bucket);
        var handle = OpenPinned(found, info, out var path, out var identity);
        return Task.FromResult<Stream>(new PinnedFileStream(handle, path, found.Describe(info.Key), identity, offset, length));
    }

    public async Task<ObjectInfo> PutAsync(string bucket, string key, Stream content, UploadState? state, CancellationToken cancellationToken)
    {
        var found = Require(bucket);
        var path = found.PathOf(key);
        var action = $"write {found.Describe(key)}";
        using var file = Guard(action, () => Begin(found, path, key));
        await file.WriteAsync(content, e => StoreFailures.FromIO(e, action), cancellationToken).ConfigureAwait(false);
        return await FinishAsync(found, path, key, action, file, file.Crc32C, cancellationToken).ConfigureAwait(false);
    }

    public Task<ObjectInfo?> CreateIfAbsentAsync(string bucket, string key, ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
    {
        var found = Require(bucket);
        var path = found.PathOf(key);
        var action = $"create {found.Describe(key)}";
        // Flushing may take long: not on the caller's thread.
        return Task.Run(
            () => Guard(action, () => FolderConflict.Explain(found, path, key, () =>
            {
                found.RequireInside(Path.GetDirectoryName(path)!, key);
                if (FileIdentity.Find(path) is not null)
                    return null;
                using var file = Begin(found, path, key);
                file.Write(content.Span);
                return file.TryPlace(path) is { } identity ? Info(found, key, identity, file.Crc32C) : null;
            })),
            cancellationToken);
    }

    public async Task<ObjectInfo> CopyAsync(ObjectInfo source, string destinationKey, CancellationToken cancellationToken)
    {
        var found = RequireExisting(source.Bucket);
        var path = found.PathOf(destinationKey);
        var action = $"copy {found.Describe(source.Key)} to {found.Describe(destinationKey)}";
        using var from = OpenPinned(found, source, out var sourcePath, out var identity);
        if (TryLink(found, source.Key, sourcePath, identity) is { } second)
        {
            using (second)
                return await FinishAsync(found, path, destinationKey, action, second, source.Crc32C, cancellationToken).ConfigureAwait(false);
        }
        using var file = Guard(action, () => Begin(found, path, destinationKey));
        // Blocks that are shared until one side is written are as good as a copy, on file systems that can.
        if (OperatingSystem.IsLinux() && UnixNative.TryClone(from, file.Handle))
        {
            // As at the end of a content that is read: what was cloned may be another generation's by now.
            if (Guard(action, () => FileIdentity.Find(from, sourcePath) != identity || FileIdentity.Find(sourcePath) != identity))
                throw StoreFailures.Changed(found.Describe(source.Key));
            return await FinishAsync(found, path, destinationKey, action, file, source.Crc32C, cancellationToken).ConfigureAwait(false);
        }
        using var content = new PinnedFileStream(from, sourcePath, found.Describe(source.Key), identity, 0, null);
        await file.WriteAsync(content, e => StoreFailures.FromIO(e, action), cancellationToken).ConfigureAwait(false);
        return await FinishAsync(found, path, destinationKey, action, file, file.Crc32C, cancellationToken).ConfigureAwait(false);
    }

    public Task CheckWritableAsync(string bucket, IReadOnlyList<string> keys, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var found = Require(bucket);
        foreach (var key in keys)
        {
            var path = found.PathOf(key);
            found.RequireInside(Path.GetDirectoryName(path)!, key);
            FolderConflict.Check(found, path, key);
        }
        FolderConflict.Check(found, keys);
        return Task.CompletedTask;
    }

    public string PlaceOf(string bucket, string key) => FileLocation.ToText(Require(bucket).PathOf(key));

    public Task DeleteAsync(string bucket, string key, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (Find(bucket) is not { } found)
            return Task.CompletedTask;
        var path = found.PathOf(key);
        Guard($"delete {found.Describe(key)}", () =>
        {
            found.RequireInside(Path.GetDirectoryName(path)!, key);
            FolderPruning.Delete(found.Folder, path);
            return true;
        });
        return Task.CompletedTask;
    }

    private static ObjectInfo Info(BucketFolder bucket, string key, FileIdentity identity, uint? crc) =>
        new(bucket.Bucket, key, identity.Size, identity.Generation, crc, identity.Modified);

    private static T Guard<T>(string action, Func<T> work)
    {
        try
        {
            return work();
        }
        catch (Exception e) when (StoreFailures.IsIO(e))
        {
            throw StoreFailures.FromIO(e, action);
        }
    }

    private static bool CanRead(string folder)
    {
        try
        {
            _ = Directory.EnumerateFileSystemEntries(folder).FirstOrDefault();
            return true;
        }
        catch (UnauthorizedAccessException)
        {
            return false;
        }
    }

    private static Task<ObjectInfo> FinishAsync(BucketFolder bucket, string path, string key, string action, UnfinishedFile file, uint? crc, CancellationToken cancellationToken) =>
        Task.Run(() => Guard(action, () => FolderConflict.Explain(bucket, path, key, () => Info(bucket, key, file.Replace(path), crc))), cancellationToken);

    private List<string> BucketNames()
    {
        var names = new List<string>();
        if (Directory.Exists(_folder))
            names.AddRange(Directory.EnumerateDirectories(_folder).Select(Path.GetFileName).OfType<string>().Where(IsBucketName));
        names.Sort(Utf8Order.Instance);
        return names;
    }

    private static bool IsBucketName(string name) =>
        name.Length is > 0 and <= 255 && name[0] != '.' && KeyPath.Encode(name, OperatingSystem.IsWindows()) == name && !name.Contains('/', StringComparison.Ordinal);

    private BucketFolder? Find(string bucket)
    {
        if (_onlyBucket is not null)
            return bucket == _onlyBucket ? new BucketFolder(bucket, _folder, Name) : null;
        return IsBucketName(bucket) ? new BucketFolder(bucket, Path.Combine(_folder, bucket), $"{Name}/{bucket}") : null;
    }

    private BucketFolder Require(string bucket) => Find(bucket) ?? throw (_onlyBucket is null
        ? new TaskFailureException(FailureReason.InvalidDocument, $"'{bucket}' can't be a bucket of {Name}: the name of a folder is needed that does not begin with a dot.")
        : StoreFailures.MissingBucket(bucket, Name));

    private BucketFolder RequireExisting(string bucket) =>
        Find(bucket) is { } found && Directory.Exists(found.Folder) ? found : throw StoreFailures.MissingBucket(bucket, Name);

    private UnfinishedFile Begin(BucketFolder bucket, string path, string key)
    {
        bucket.RequireInside(Path.GetDirectoryName(path)!, key);
        if (_swept.TryAdd(bucket.Folder, true))
            UnfinishedFile.Sweep(bucket.Folder, (_time.GetUtcNow() - UnfinishedFileAge).UtcDateTime);
        return UnfinishedFile.Create(bucket.Folder);
    }

    private static SafeFileHandle OpenPinned(BucketFolder bucket, ObjectInfo info, out string path, out FileIdentity identity)
    {
        var name = bucket.Describe(info.Key);
        var full = path = bucket.PathOf(info.Key);
        var (handle, found) = Guard($"read {name}", () =>
        {
            bucket.RequireInside(full, info.Key);
            // Asked before it is opened, too: opening a pipe would wait for a writer.
            if (FileIdentity.Find(full) is null)
                throw StoreFailures.Missing(name);
            SafeFileHandle opened;
            try
            {
                opened = File.OpenHandle(full, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            }
            catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
            {
                throw StoreFailures.Missing(name);
            }
            if (FileIdentity.Find(opened, full) is { } there && there.Generation == info.Generation)
                return (opened, there);
            opened.Dispose();
            throw StoreFailures.Changed(name);
        });
        identity = found;
        return handle;
    }

    // One inode under two names is no copy where somebody may edit one of the files in place; in the engine's own part of a bucket nobody does,
    // and what is promoted from there is deleted there next.
    private static UnfinishedFile? TryLink(BucketFolder bucket, string key, string path, FileIdentity identity)
    {
        if (!key.StartsWith(ReservedKeys.Prefix, StringComparison.Ordinal) || UnfinishedFile.TryLink(bucket.Folder, path) is not { } file)
            return null;
        if (FileIdentity.Find(file.Handle, path) == identity)
            return file;
        file.Dispose();
        throw StoreFailures.Changed(bucket.Describe(key));
    }
}
