using System.Collections.Concurrent;
using Sisyphus.Engine.Storage.Azure;
using Sisyphus.Engine.Storage.Directories;
using Sisyphus.Engine.Storage.Google;
using Sisyphus.Engine.Storage.S3;

namespace Sisyphus.Engine.Storage;

/// <summary>Makes stores of locations. Locations that name the same service in the same way share one store object.</summary>
/// <param name="standard">The location of the store for all buckets but the mapped ones; URLs of the same scheme go there, too.</param>
internal sealed class StoreOpener(StoreParts parts, string standard)
{
    private const string Forms = "file:///ROOT (its folders are the buckets), an absolute path, az:ACCOUNT for Azure Blob Storage, gs: for Google Cloud Storage, or s3: for AWS S3 and servers like it (s3:?endpoint=https://HOST)";

    // Each takes a location without bucket and prefix. One line a store; nothing else knows which there are.
    private static readonly Dictionary<string, Func<StoreLocation, StoreParts, IObjectStore>> Services = new(StringComparer.Ordinal)
    {
        ["az"] = AzureObjectStore.Open,
        ["gs"] = GoogleObjectStore.Open,
        ["s3"] = S3ObjectStore.Open,
    };

    private readonly ConcurrentDictionary<string, IObjectStore> _open = new(StringComparer.Ordinal);

    public StoreParts Parts => parts;

    /// <summary>The store of all buckets that no mapping names.</summary>
    /// <exception cref="FormatException"/>
    public IObjectStore OpenAll()
    {
        if (FolderOf(standard) is { } folder)
            return DirectoryObjectStore.OfRoot(folder, parts.Time);
        var location = Parse(standard);
        return location.Bucket.Length == 0
            ? Open(location)
            : throw new FormatException($"'{location}' is one bucket, and the store holds all of them: write {location.Scheme}:{location.Account}, and name buckets in documents or in the mapping.");
    }

    /// <summary>One bucket under a name of its own.</summary>
    /// <exception cref="FormatException"/>
    public IObjectStore OpenBucket(string text, string alias)
    {
        if (FolderOf(text) is { } folder)
            return DirectoryObjectStore.OfBucket(folder, alias, parts.Time);
        var location = Parse(text);
        return location.Bucket.Length > 0
            ? new MappedBucket(Open(location), alias, location.Bucket, location.Prefix)
            : throw new FormatException($"'{location}' names no bucket: write {location.Scheme}:{(location.Account.Length > 0 ? location.Account : "/")}/BUCKET for '{alias}'.");
    }

    /// <summary>The store of a document's URLs.</summary>
    /// <exception cref="FormatException"/>
    public IObjectStore OpenUrl(string scheme) =>
        standard.StartsWith(scheme + ':', StringComparison.OrdinalIgnoreCase) ? OpenAll() : Open(Parse(scheme + ':'));

    private IObjectStore Open(StoreLocation location)
    {
        var all = location.WithoutBucket();
        return _open.GetOrAdd(all.Identity, _ => Services[all.Scheme](all, parts));
    }

    private static StoreLocation Parse(string text)
    {
        // Of two letters and more: one is a drive.
        var colon = text.IndexOf(':', StringComparison.Ordinal);
        return colon > 1 && Services.ContainsKey(text[..colon].ToLowerInvariant())
            ? StoreLocation.Parse(text)
            : throw new FormatException($"'{text.Split('?')[0]}' is no location of a store. Locations are {Forms}.");
    }

    private static string? FolderOf(string location)
    {
        if (FileLocation.IsFileUrl(location))
            return FileLocation.ToPath(location);
        return Path.IsPathFullyQualified(location) ? FileLocation.Normalize(location, location) : null;
    }
}
