using Amazon.S3.Model;
using Sisyphus.Engine.Storage.Checksums;
using Sisyphus.Engine.Tasks;

namespace Sisyphus.Engine.Storage.S3;

/// <summary>Writes objects that fit in one request.</summary>
internal sealed class S3Writer(S3Connection connection)
{
    public const string ContentType = "application/octet-stream";

    /// <param name="ifAbsent">Unless there is one of that name; then it fails with 412.</param>
    /// <param name="ifMatch">Only in the place of that one; otherwise it fails with 412, or 404 when there is none.</param>
    /// <param name="failed">Told of each try that failed, the last one too.</param>
    /// <exception cref="TaskFailureException"/>
    public async Task<ObjectInfo> PutAsync(S3Target target, ReadOnlyMemory<byte> content, bool ifAbsent, CancellationToken cancellationToken, Action<Exception>? failed = null, S3Generation? ifMatch = null)
    {
        var abilities = connection.Abilities;
        var crc = Crc32C.Of(content.Span);
        var md5 = abilities.Checksums == true ? null : S3Checksum.Md5(content.Span);
        var response = await connection.SendAsync(target, ifAbsent ? "create" : "write", async (client, watch) =>
        {
            var request = new PutObjectRequest
            {
                BucketName = target.Bucket,
                Key = target.Key,
                InputStream = WatchedBody.Of(content, watch),
                ContentType = ContentType,
                IfNoneMatch = ifAbsent ? "*" : null,
                IfMatch = ifMatch?.QuotedETag,
                // Checksums are sent before the content. Signed chunks are not understood everywhere, and stored as if they were content.
                UseChunkEncoding = false,
                DisablePayloadSigning = connection.IsEncrypted,
                MD5Digest = md5,
                ChecksumCRC32C = abilities.Checksums == false ? null : S3Checksum.Encode(crc),
            };
            if (abilities.Checksums != true)
                request.Metadata[S3Checksum.Metadata] = Crc32C.ToText(crc);
            try
            {
                return await client.PutObjectAsync(request, watch.Token).ConfigureAwait(false);
            }
            catch (Exception e)
            {
                failed?.Invoke(e);
                throw;
            }
        }, cancellationToken).ConfigureAwait(false);

        var told = S3Checksum.Decode(response.ChecksumCRC32C);
        // Each answer tells: behind an address there may be other servers tomorrow.
        if (abilities.Checksums != false)
            abilities.Checksums = told is not null;
        if (told is not null && told != crc)
            throw await connection.DamagedAsync(target, S3Generation.Of(response.ETag, response.VersionId), Crc32C.ToText(told.Value), Crc32C.ToText(crc), cancellationToken).ConfigureAwait(false);
        return new ObjectInfo(target.Bucket, target.Key, content.Length, S3Generation.Of(response.ETag, response.VersionId).ToString(), crc, S3Read.Time(connection.Parts.Time.GetUtcNow().UtcDateTime));
    }
}
