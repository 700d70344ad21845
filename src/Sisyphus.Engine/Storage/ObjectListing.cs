namespace Sisyphus.Engine.Storage;

/// <summary>Listings for people.</summary>
public static class ObjectListing
{
    /// <summary>As <see cref="IObjectStore.ListAsync"/>, without what the engine keeps for itself unless <paramref name="prefix"/> asks for just that or <paramref name="reserved"/> is set.</summary>
    public static IAsyncEnumerable<ObjectInfo> ListForUserAsync(this IObjectStore store, string bucket, string prefix, bool reserved, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(store);
        ArgumentNullException.ThrowIfNull(prefix);
        var objects = store.ListAsync(bucket, prefix, cancellationToken);
        return reserved || prefix.StartsWith(ReservedKeys.Prefix, StringComparison.Ordinal)
            ? objects
            : objects.Where(info => !info.Key.StartsWith(ReservedKeys.Prefix, StringComparison.Ordinal));
    }
}
