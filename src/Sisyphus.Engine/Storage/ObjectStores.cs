using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using Sisyphus.Engine.Storage.Directories;
using Sisyphus.Engine.Tasks;

namespace Sisyphus.Engine.Storage;

/// <summary>The stores of a session: one for all buckets, and others for single buckets.</summary>
public sealed class ObjectStores
{
    private const string Forms = "file:///ROOT (its folders are the buckets) or an absolute path";
    private static readonly string[] SchemesToCome = ["gs", "s3", "az"];

    private readonly IObjectStore _default;
    private readonly SortedDictionary<string, IObjectStore> _mapped;
    private readonly ConcurrentDictionary<string, IObjectStore> _folders = new();

    /// <param name="store">Serves every bucket that <paramref name="mapping"/> does not name.</param>
    public ObjectStores(IObjectStore store, IReadOnlyDictionary<string, IObjectStore>? mapping = null)
    {
        _default = store;
        _mapped = new(mapping?.ToDictionary() ?? [], StringComparer.Ordinal);
    }

    /// <summary>The location of the store for all buckets but the mapped ones.</summary>
    public string DefaultStore => _default.Name;

    /// <summary>Bucket name → location of exactly that bucket.</summary>
    public IReadOnlyDictionary<string, string> Mapping => _mapped.ToDictionary(entry => entry.Key, entry => entry.Value.Name, StringComparer.Ordinal);

    /// <param name="store">Store for every bucket that <paramref name="mapping"/> does not name, for example <c>file:///srv/data</c> (its folders are the buckets).</param>
    /// <param name="mapping">Bucket name → location of exactly that bucket, for example <c>scratch</c> → <c>file:///data/scratch</c>.</param>
    /// <exception cref="FormatException">A location that no store understands; the message names it and the forms there are.</exception>
    public static ObjectStores Open(string store, IReadOnlyDictionary<string, string>? mapping = null)
    {
        var mapped = new Dictionary<string, IObjectStore>(StringComparer.Ordinal);
        foreach (var (bucket, location) in mapping ?? new Dictionary<string, string>())
        {
            if (bucket.Length == 0 || bucket.AsSpan().ContainsAny(':', '/', '\0'))
                throw new FormatException($"'{bucket}' can't be the name of a bucket: it stands before the colon of bucket:key.");
            mapped[bucket] = DirectoryObjectStore.OfBucket(ParseFolder(location), bucket);
        }
        return new ObjectStores(DirectoryObjectStore.OfRoot(ParseFolder(store)), mapped);
    }

    /// <summary>Where a remote path really is.</summary>
    /// <param name="fileRoots">Absolute folders that <c>file://</c> paths may name; none forbids such paths.</param>
    /// <exception cref="TaskFailureException"><see cref="FailureReason.PolicyDenied"/> or <see cref="FailureReason.InvalidDocument"/> when no store serves the path.</exception>
    public ObjectLocation Resolve(RemotePath path, IEnumerable<string>? fileRoots = null) => path.Scheme switch
    {
        null => new ObjectLocation(_mapped.GetValueOrDefault(path.Bucket, _default), path.Bucket, path.Key),
        "file" => ResolveFile(path, fileRoots ?? []),
        _ => throw new TaskFailureException(FailureReason.InvalidDocument, $"{path}: '{path.Scheme}:' is not available in this version. Use bucket:key or file:///path."),
    };

    /// <summary>Names of all buckets: those of the default store and the mapped ones that are there; in ordinal order.</summary>
    public async IAsyncEnumerable<string> ListBucketsAsync([EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        var names = new SortedSet<string>(Utf8Order.Instance);
        await foreach (var bucket in _default.ListBucketsAsync(cancellationToken).ConfigureAwait(false))
        {
            if (!_mapped.ContainsKey(bucket))
                names.Add(bucket);
        }
        foreach (var (bucket, store) in _mapped)
        {
            if (await store.BucketExistsAsync(bucket, cancellationToken).ConfigureAwait(false))
                names.Add(bucket);
        }
        foreach (var name in names)
            yield return name;
    }

    private ObjectLocation ResolveFile(RemotePath path, IEnumerable<string> roots)
    {
        var (folder, key) = FileRoots.Split(path, roots);
        return new ObjectLocation(_folders.GetOrAdd(folder, static folder => DirectoryObjectStore.OfBucket(folder, "")), "", key);
    }

    private static string ParseFolder(string location)
    {
        if (FileLocation.IsFileUrl(location))
            return FileLocation.ToPath(location);
        if (Path.IsPathFullyQualified(location))
            return FileLocation.Normalize(location, location);
        if (SchemesToCome.FirstOrDefault(scheme => location.StartsWith(scheme + ':', StringComparison.OrdinalIgnoreCase)) is { } toCome)
            throw new FormatException($"'{location}': the store '{toCome}:' is not available in this version. Locations are {Forms}.");
        throw new FormatException($"'{location}' is no location of a store. Locations are {Forms}.");
    }
}

/// <param name="Key">Key, or prefix with a trailing <c>/</c> (empty for all of the bucket).</param>
public sealed record ObjectLocation(IObjectStore Store, string Bucket, string Key);
