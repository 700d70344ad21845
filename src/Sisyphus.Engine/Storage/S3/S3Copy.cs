using System.Globalization;
using System.Net;
using Amazon.S3;
using Amazon.S3.Model;
using Sisyphus.Engine.Storage.Checksums;
using Sisyphus.Engine.Tasks;

namespace Sisyphus.Engine.Storage.S3;

/// <summary>Copies inside of the service, of exactly the generation that is asked for.</summary>
internal sealed class S3Copy(S3Connection connection, S3Limits limits)
{
    public async Task<ObjectInfo> RunAsync(ObjectInfo source, S3Target target, CancellationToken cancellationToken)
    {
        var from = new S3Target(source.Bucket, source.Key);
        try
        {
            return source.Size <= limits.SingleCopy
                ? await AtOnceAsync(source, from, target, cancellationToken).ConfigureAwait(false)
                : await InPartsAsync(source, target, cancellationToken).ConfigureAwait(false);
        }
        catch (TaskFailureException e) when (S3Failures.Status(e) == HttpStatusCode.PreconditionFailed)
        {
            throw StoreFailures.Changed(from.ToString());
        }
        catch (TaskFailureException e) when (S3Failures.Status(e) == HttpStatusCode.NotFound && S3Failures.Code(e) is not ("NoSuchBucket" or "NoSuchUpload"))
        {
            throw StoreFailures.Missing(from.ToString());
        }
    }

    private async Task<ObjectInfo> AtOnceAsync(ObjectInfo source, S3Target from, S3Target target, CancellationToken cancellationToken)
    {
        var pinned = S3Generation.Parse(source.Generation);
        var copied = await connection.SendAsync(target, $"copy {from} to", (client, watch) =>
        {
            watch.Allow(ServiceWork.TimeFor(source.Size));
            return client.CopyObjectAsync(
                new CopyObjectRequest
                {
                    SourceBucket = source.Bucket,
                    SourceKey = source.Key,
                    SourceVersionId = pinned.Version,
                    ETagToMatch = pinned.QuotedETag,
                    DestinationBucket = target.Bucket,
                    DestinationKey = target.Key,
                    ChecksumAlgorithm = connection.Abilities.Checksums == true ? ChecksumAlgorithm.CRC32C : null,
                },
                watch.Token);
        }, cancellationToken).ConfigureAwait(false);
        var generation = S3Generation.Of(copied.ETag, copied.VersionId);
        var told = S3Checksum.Decode(copied.ChecksumCRC32C);
        if (told is not null && source.Crc32C is { } known && told != known)
            throw await connection.DamagedAsync(target, generation, Crc32C.ToText(told.Value), Crc32C.ToText(known), cancellationToken).ConfigureAwait(false);
        return new ObjectInfo(target.Bucket, target.Key, source.Size, generation.ToString(), told ?? source.Crc32C, S3Read.Time(Time(copied.LastModified) ?? connection.Parts.Time.GetUtcNow().UtcDateTime));
    }

    private async Task<ObjectInfo> InPartsAsync(ObjectInfo source, S3Target target, CancellationToken cancellationToken)
    {
        var upload = await MultipartUpload.BeginAsync(connection, target, source.Crc32C is { } crc ? Crc32C.ToText(crc) : null, cancellationToken).ConfigureAwait(false);
        try
        {
            var step = limits.CopyPartSize(source.Size);
            for (var offset = 0L; offset < source.Size; offset += step)
                await upload.CopyAsync(source, offset, Math.Min(step, source.Size - offset), cancellationToken).ConfigureAwait(false);
            return await upload.CompleteAsync(source.Size, source.Crc32C, null, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception)
        {
            await upload.AbortAsync().ConfigureAwait(false);
            throw;
        }
    }

    private static DateTime? Time(string? text) =>
        DateTime.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AdjustToUniversal | DateTimeStyles.AssumeUniversal, out var time) ? time : null;
}
