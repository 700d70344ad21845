namespace Sisyphus.Engine.Storage;

/// <summary>The usual forms of a store's calls.</summary>
public static class ObjectStoreCalls
{
    /// <summary>All bytes from <paramref name="offset"/>.</summary>
    public static Task<Stream> OpenReadAsync(this IObjectStore store, ObjectInfo info, long offset, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(store);
        return store.OpenReadAsync(info, offset, null, cancellationToken);
    }

    /// <summary>Writes or replaces an object from the beginning.</summary>
    public static Task<ObjectInfo> PutAsync(this IObjectStore store, string bucket, string key, Stream content, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(store);
        return store.PutAsync(bucket, key, content, null, cancellationToken);
    }
}
