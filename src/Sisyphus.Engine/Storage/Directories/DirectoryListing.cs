using System.IO.Enumeration;
using Sisyphus.Engine.Tasks;

namespace Sisyphus.Engine.Storage.Directories;

/// <summary>Walks a bucket's folders in the order of keys, one folder in memory for each level.</summary>
internal sealed class DirectoryListing(BucketFolder bucket)
{
    private static readonly EnumerationOptions Everything = new() { AttributesToSkip = 0, IgnoreInaccessible = false };

    private readonly Stack<Level> _levels = new();

    public IEnumerable<ObjectInfo> Enumerate(string prefix, CancellationToken cancellationToken)
    {
        var slash = prefix.LastIndexOf('/');
        var path = slash < 0 ? "" : KeyPath.Encode(prefix[..slash], OperatingSystem.IsWindows());
        bucket.RequireInside(Path.Combine(bucket.Folder, path), prefix);
        Enter(path, prefix[..(slash + 1)], prefix);
        while (_levels.TryPeek(out var level))
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (!level.Entries.MoveNext())
            {
                _levels.Pop();
                continue;
            }
            var entry = level.Entries.Current;
            if (entry.IsLink)
                bucket.RequireInside(Path.Combine(bucket.Folder, entry.Path), entry.Key);
            if (entry.IsFolder)
            {
                if (entry.IsLink)
                    RequireNoLoop(entry);
                Enter(entry.Path, entry.Key, prefix);
            }
            else if (FileIdentity.Find(Path.Combine(bucket.Folder, entry.Path)) is { } identity)
            {
                yield return new ObjectInfo(bucket.Bucket, entry.Key, identity.Size, identity.Generation, null, identity.Modified);
            }
        }
    }

    private void Enter(string path, string key, string prefix)
    {
        var entries = new List<Entry>();
        Read(path, key, prefix, entries);
        entries.Sort(static (a, b) => Utf8Order.Instance.Compare(a.Key, b.Key));
        _levels.Push(new Level(path, entries.GetEnumerator()));
    }

    private void Read(string path, string key, string prefix, List<Entry> entries)
    {
        var folder = Path.Combine(bucket.Folder, path);
        try
        {
            foreach (var (name, isFolder, isLink) in new FileSystemEnumerable<(string, bool, bool)>(folder, Describe, Everything))
            {
                if (KeyPath.Decode(name, out var continues) is not { } text)
                    continue;
                var entry = new Entry(key + text + (isFolder && !continues ? "/" : ""), path.Length == 0 ? name : $"{path}/{name}", isFolder, isLink);
                if (!Matches(entry, prefix) || !IsCanonical(entry, continues))
                    continue;
                // The other parts of such a segment stand between the other names of this folder.
                if (continues && isFolder)
                    Read(entry.Path, entry.Key, prefix, entries);
                else
                    entries.Add(entry);
            }
        }
        catch (DirectoryNotFoundException) when (path.Length > 0)
        {
            // Removed since it was listed: it has become empty.
        }
        catch (IOException) when (path.Length > 0 && File.Exists(folder))
        {
            // A prefix that goes on behind an object: there is nothing below one.
        }
    }

    private static (string Name, bool IsFolder, bool IsLink) Describe(ref FileSystemEntry entry) =>
        (entry.FileName.ToString(), entry.IsDirectory, (entry.Attributes & FileAttributes.ReparsePoint) != 0);

    private static bool Matches(Entry entry, string prefix) =>
        entry.Key.StartsWith(prefix, StringComparison.Ordinal) || (entry.IsFolder && prefix.StartsWith(entry.Key, StringComparison.Ordinal));

    // Our own folder, and names that look escaped but are not what a key would be written as. No key leads to those.
    private static bool IsCanonical(Entry entry, bool continues)
    {
        if (entry.Path.Equals(KeyPath.TemporaryFolder, StringComparison.OrdinalIgnoreCase))
            return false;
        if (continues)
            return entry.IsFolder;
        return !entry.Path.Contains('%', StringComparison.Ordinal)
            || KeyPath.Encode(entry.IsFolder ? entry.Key[..^1] : entry.Key, OperatingSystem.IsWindows()) == entry.Path;
    }

    private void RequireNoLoop(Entry link)
    {
        if (OperatingSystem.IsWindows() || UnixNative.RealPath(Path.Combine(bucket.Folder, link.Path)) is not { } target)
            return;
        foreach (var level in _levels)
        {
            if ((UnixNative.RealPath(Path.Combine(bucket.Folder, level.Path)) + '/').StartsWith(target + '/', StringComparison.Ordinal))
                throw new TaskFailureException(FailureReason.InputDenied, $"{bucket.Describe(link.Key)} can't be listed: it is a symbolic link to a folder around itself.");
        }
    }

    private sealed record Level(string Path, IEnumerator<Entry> Entries);

    /// <param name="Key">With a trailing <c>/</c> for a folder.</param>
    /// <param name="Path">Relative to the bucket's folder.</param>
    private readonly record struct Entry(string Key, string Path, bool IsFolder, bool IsLink);
}
