using Sisyphus.Engine.Storage;

namespace Sisyphus.Engine.Execution.Publishing;

/// <summary>The engine's own objects: read whole, after a look at their size.</summary>
internal static class SmallObject
{
    public static async Task<byte[]> ReadAllAsync(this IObjectStore store, ObjectInfo info, CancellationToken cancellationToken)
    {
        var stream = await store.OpenReadAsync(info, 0, cancellationToken).ConfigureAwait(false);
        await using (stream.ConfigureAwait(false))
        {
            using var content = new MemoryStream();
            await stream.CopyToAsync(content, cancellationToken).ConfigureAwait(false);
            return content.ToArray();
        }
    }
}
