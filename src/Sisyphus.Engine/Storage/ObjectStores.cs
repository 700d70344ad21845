using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using Sisyphus.Engine.Storage.Directories;
using Sisyphus.Engine.Storage.Http;
using Sisyphus.Engine.Storage.Transfers;
using Sisyphus.Engine.Tasks;

namespace Sisyphus.Engine.Storage;

/// <summary>The stores of a session: one for all buckets, and others for single buckets.</summary>
public sealed class ObjectStores
{
    private readonly IObjectStore _default;
    private readonly SortedDictionary<string, IObjectStore> _mapped;
    private readonly ConcurrentDictionary<string, IObjectStore> _folders = new();
    private readonly ConcurrentDictionary<(string Scheme, HostGuard Guard), IObjectStore> _web = new();
    private readonly StoreParts _parts;
    private readonly StoreOpener? _opener;

    /// <param name="store">Serves every bucket that <paramref name="mapping"/> does not name.</param>
    public ObjectStores(IObjectStore store, IReadOnlyDictionary<string, IObjectStore>? mapping = null, TransferScheduler? scheduler = null)
        : this(scheduler ?? new TransferScheduler(new TransferOptions()), store, mapping ?? new Dictionary<string, IObjectStore>())
    {
    }

    /// <summary>The location of the store for all buckets but the mapped ones.</summary>
    public string DefaultStore => _default.Name;

    /// <summary>Bucket name → location of exactly that bucket.</summary>
    public IReadOnlyDictionary<string, string> Mapping => _mapped.ToDictionary(entry => entry.Key, entry => entry.Value.Name, StringComparer.Ordinal);

    private ObjectStores(TransferScheduler scheduler, IObjectStore store, IReadOnlyDictionary<string, IObjectStore> mapping, StoreOpener? opener = null)
    {
        Scheduler = scheduler;
        _parts = opener?.Parts ?? StoreParts.Of(scheduler);
        _default = store;
        _mapped = new(mapping.ToDictionary(), StringComparer.Ordinal);
        _opener = opener;
    }

    /// <summary>Moves objects from and to these stores.</summary>
    public TransferScheduler Scheduler { get; }

    /// <param name="store">Store for every bucket that <paramref name="mapping"/> does not name, for example <c>file:///srv/data</c> (its folders are the buckets) or <c>gs:</c>.</param>
    /// <param name="mapping">Bucket name → location of exactly that bucket, for example <c>scratch</c> → <c>file:///data/scratch</c> or <c>results</c> → <c>gs://lab-results</c>.</param>
    /// <param name="transfers">Null: the defaults.</param>
    /// <exception cref="FormatException">A location that no store understands; the message names it and the forms there are.</exception>
    /// <exception cref="ArgumentException">A transfer option is out of its range.</exception>
    public static ObjectStores Open(string store, IReadOnlyDictionary<string, string>? mapping = null, TransferOptions? transfers = null)
    {
        var scheduler = new TransferScheduler(transfers ?? new TransferOptions());
        var opener = new StoreOpener(StoreParts.Of(scheduler), store);
        var mapped = new Dictionary<string, IObjectStore>(StringComparer.Ordinal);
        foreach (var (bucket, location) in mapping ?? new Dictionary<string, string>())
        {
            if (bucket.Length == 0 || bucket.AsSpan().ContainsAny(':', '/', '\0'))
                throw new FormatException($"'{bucket}' can't be the name of a bucket: it stands before the colon of bucket:key.");
            mapped[bucket] = opener.OpenBucket(location, bucket);
        }
        return new ObjectStores(scheduler, opener.OpenAll(), mapped, opener);
    }

    /// <summary>Where a remote path really is.</summary>
    /// <param name="fileRoots">Absolute folders that <c>file://</c> paths may name; none forbids such paths.</param>
    /// <param name="httpHosts">Patterns of the hosts that URLs of the web may name, for a document of a stranger: an empty list allows all but this machine. Null: the caller's own will, without bounds.</param>
    /// <exception cref="TaskFailureException"><see cref="FailureReason.PolicyDenied"/> or <see cref="FailureReason.InvalidDocument"/> when no store serves the path.</exception>
    public ObjectLocation Resolve(RemotePath path, IEnumerable<string>? fileRoots = null, IEnumerable<string>? httpHosts = null) => path.Scheme switch
    {
        null => new ObjectLocation(_mapped.GetValueOrDefault(path.Bucket, _default), path.Bucket, path.Key),
        "file" => ResolveFile(path, fileRoots ?? []),
        "https" or "http" => ResolveWeb(path, httpHosts),
        _ => new ObjectLocation(OpenFor(path), path.Bucket, path.Key),
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

    private ObjectLocation ResolveWeb(RemotePath path, IEnumerable<string>? hosts)
    {
        var guard = hosts is null ? HostGuard.None : HostGuard.Of(hosts);
        guard.Require(path);
        return new ObjectLocation(_web.GetOrAdd((path.Scheme!, guard), key => new HttpObjectStore(key.Scheme, key.Guard, HttpClients.Of(key.Guard), _parts)), path.Bucket, path.Key);
    }

    private IObjectStore OpenFor(RemotePath path)
    {
        try
        {
            return _opener?.OpenUrl(path.Scheme!) ?? throw new FormatException("this session opens no stores by their URLs.");
        }
        catch (FormatException e)
        {
            throw new TaskFailureException(FailureReason.InvalidDocument, $"{path}: {e.Message}", e);
        }
    }
}

/// <param name="Key">Key, or prefix with a trailing <c>/</c> (empty for all of the bucket).</param>
public sealed record ObjectLocation(IObjectStore Store, string Bucket, string Key);
