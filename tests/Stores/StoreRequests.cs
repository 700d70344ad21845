using Sisyphus.Engine.Storage;
using Sisyphus.Tests.Unit.Storage;
using Xunit;
using static Sisyphus.Tests.Unit.Storage.StoreAssertions;

namespace Sisyphus.Tests.Stores;

/// <summary>All that a store is asked for, by name.</summary>
internal static class StoreRequests
{
    public static TheoryData<string> Names => ["read", "put", "list", "stat", "copy", "create", "replace", "delete"];

    /// <param name="known">An object of before.</param>
    public static async Task AskAsync(IObjectStore store, ObjectInfo known, string request, CancellationToken cancellationToken)
    {
        switch (request)
        {
            case "read": await store.ReadAsync(known); break;
            case "put": await store.PutAsync(known.Bucket, "put", Content(1000)); break;
            case "list": await store.KeysAsync(known.Bucket); break;
            case "stat": await store.StatAsync(known.Bucket, known.Key, cancellationToken); break;
            case "copy": await store.CopyAsync(known, "copy", cancellationToken); break;
            case "create": await store.CreateIfAbsentAsync(known.Bucket, "marker", Content(100), cancellationToken); break;
            case "replace": await store.ReplaceAsync(known, Content(100), cancellationToken); break;
            case "delete": await store.DeleteAsync(known.Bucket, known.Key, cancellationToken); break;
            default: throw new ArgumentOutOfRangeException(nameof(request), request, null);
        }
    }
}
