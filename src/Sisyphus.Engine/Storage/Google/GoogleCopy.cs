using Sisyphus.Engine.Storage.Checksums;
using Sisyphus.Engine.Tasks;

namespace Sisyphus.Engine.Storage.Google;

/// <summary>Copies inside the service (https://cloud.google.com/storage/docs/json_api/v1/objects/rewrite): a large object between places or classes of storage takes several calls.</summary>
internal sealed class GoogleCopy(GoogleConnection connection)
{
    /// <returns>Null when the source's generation is not there (any more).</returns>
    public async Task<ObjectInfo?> RunAsync(ObjectInfo source, string key, CancellationToken cancellationToken)
    {
        var bucket = source.Bucket;
        var action = $"copy {bucket}:{source.Key} to {bucket}:{key}";
        var path = $"{GoogleObjects.PathOf(bucket, source.Key)}/rewriteTo/b/{GoogleNames.Encode(bucket)}/o/{GoogleNames.Encode(key)}"
            + $"?sourceGeneration={GoogleNames.Encode(source.Generation)}&fields=done,rewriteToken,resource({ObjectResource.Fields})";
        var begun = 1;
        for (string? token = null; ;)
        {
            // A token is good for one call; when the answer to that got lost, the copy begins anew.
            int[] expected = token is null || begun == connection.Parts.Requests.Attempts ? [404, 412] : [400, 404, 410, 412];
            var request = new GoogleRequest(HttpMethod.Post, token is null ? path : $"{path}&rewriteToken={GoogleNames.Encode(token)}", action) { Expected = expected };
            var (code, progress) = await connection.SendAsync(
                request, answer => (answer.Code, answer.Code == 200 ? answer.Read(GoogleJson.Default.RewriteProgress, action) : null), cancellationToken).ConfigureAwait(false);
            if (code is 400 or 410)
            {
                begun++;
                token = null;
                continue;
            }
            if (progress is null)
                return null;
            if (progress.Done)
                return Check(GoogleObjects.ToInfo(progress.Resource ?? new ObjectResource(null, null, null, null, null), bucket), source, action);
            token = progress.RewriteToken ?? throw new TaskFailureException(FailureReason.TransferFailed, $"Can't {action}: the service gave no token to go on with.");
        }
    }

    private static ObjectInfo Check(ObjectInfo copy, ObjectInfo source, string action) =>
        copy.Size == source.Size && (source.Crc32C is null || copy.Crc32C == source.Crc32C)
            ? copy
            : throw new TaskFailureException(FailureReason.TransferFailed, $"Can't {action}: the copy has {copy.Size} bytes, CRC-32C {Crc32C.ToText(copy.Crc32C ?? 0)}, instead of {source.Size}, {Crc32C.ToText(source.Crc32C ?? 0)}.");
}
