using Sisyphus.Engine.Tasks;

namespace Sisyphus.Engine.Storage;

/// <summary>The stores of a session: one for all buckets, and others for single buckets.</summary>
public sealed class ObjectStores
{
    /// <param name="store">Store for every bucket that <paramref name="mapping"/> does not name, for example <c>file:///srv/data</c> (its folders are the buckets).</param>
    /// <param name="mapping">Bucket name → location of exactly that bucket, for example <c>scratch</c> → <c>file:///data/scratch</c>.</param>
    /// <exception cref="FormatException">A location that no store understands; the message names it and the forms there are.</exception>
    public static ObjectStores Open(string store, IReadOnlyDictionary<string, string>? mapping = null) => throw new NotImplementedException();

    /// <summary>Where a remote path really is.</summary>
    /// <exception cref="TaskFailureException"><see cref="FailureReason.PolicyDenied"/> or <see cref="FailureReason.InvalidDocument"/> when no store serves the path.</exception>
    public ObjectLocation Resolve(RemotePath path) => throw new NotImplementedException();
}

/// <param name="Key">Key, or prefix with a trailing <c>/</c> (empty for all of the bucket).</param>
public sealed record ObjectLocation(IObjectStore Store, string Bucket, string Key);
