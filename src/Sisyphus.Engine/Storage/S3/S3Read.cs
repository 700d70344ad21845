using System.Net;
using Amazon.S3;
using Amazon.S3.Model;
using Sisyphus.Engine.Tasks;

namespace Sisyphus.Engine.Storage.S3;

/// <summary>Asks for objects and for their bytes.</summary>
internal sealed class S3Read(S3Connection connection)
{
    /// <returns>Null when there is no such object or bucket: the answer does not tell which.</returns>
    public async Task<ObjectInfo?> StatAsync(S3Target target, string? version, CancellationToken cancellationToken)
    {
        try
        {
            var found = await connection.SendAsync(target, "read", (client, watch) => client.GetObjectMetadataAsync(
                new GetObjectMetadataRequest { BucketName = target.Bucket, Key = target.Key, VersionId = version, ChecksumMode = connection.Abilities.Checksums == false ? null : ChecksumMode.ENABLED }, watch.Token), cancellationToken).ConfigureAwait(false);
            return new ObjectInfo(target.Bucket, target.Key, found.ContentLength, S3Generation.Of(found.ETag, found.VersionId).ToString(), Checksum(found), Time(found.LastModified));
        }
        catch (TaskFailureException e) when (e.Reason == FailureReason.InputMissing)
        {
            return null;
        }
    }

    public async Task<Stream> OpenAsync(ObjectInfo info, long offset, long length, CancellationToken cancellationToken)
    {
        var target = new S3Target(info.Bucket, info.Key);
        var pinned = S3Generation.Parse(info.Generation);
        if (length == 0)
            return await OpenNothingAsync(target, pinned, cancellationToken).ConfigureAwait(false);
        GetObjectResponse response;
        try
        {
            response = await connection.SendAsync(target, "read", (client, watch) => client.GetObjectAsync(
                new GetObjectRequest
                {
                    BucketName = target.Bucket,
                    Key = target.Key,
                    VersionId = pinned.Version,
                    EtagToMatch = pinned.QuotedETag,
                    // Also of a whole object: without a range the SDK compares an MD5, at a cost, that the checksum makes needless.
                    ByteRange = new ByteRange(offset, offset + length - 1),
                },
                watch.Token), cancellationToken).ConfigureAwait(false);
        }
        catch (TaskFailureException e) when (S3Failures.Status(e) is HttpStatusCode.PreconditionFailed or HttpStatusCode.RequestedRangeNotSatisfiable)
        {
            throw StoreFailures.Changed(target.ToString());
        }
        // A server that knows no condition sends what it has.
        if (S3Generation.Of(response.ETag, null).ETag != pinned.ETag)
        {
            response.Dispose();
            throw StoreFailures.Changed(target.ToString());
        }
        // Or all of it, where it knows no ranges.
        if (response.ContentLength != length && !(offset == 0 && response.ContentLength == info.Size))
        {
            response.Dispose();
            throw new TaskFailureException(FailureReason.TransferFailed, $"Can't read {target}: {connection.Settings.Name} sends {response.ContentLength} bytes where {length} were asked for.");
        }
        return new ObjectContent(response.ResponseStream, length, target.ToString(), response, connection.Parts);
    }

    public static DateTimeOffset Time(DateTime? time)
    {
        // Listings may tell fractions where single answers tell none.
        var utc = time?.ToUniversalTime() ?? DateTime.UnixEpoch;
        return new DateTimeOffset(utc.Ticks - (utc.Ticks % TimeSpan.TicksPerSecond), TimeSpan.Zero);
    }

    // There is no range of no bytes.
    private async Task<Stream> OpenNothingAsync(S3Target target, S3Generation pinned, CancellationToken cancellationToken)
    {
        var there = await StatAsync(target, pinned.Version, cancellationToken).ConfigureAwait(false) ?? throw StoreFailures.Missing(target.ToString());
        return S3Generation.Parse(there.Generation).ETag == pinned.ETag ? Stream.Null : throw StoreFailures.Changed(target.ToString());
    }

    private static uint? Checksum(GetObjectMetadataResponse found) =>
        found.ChecksumType != ChecksumType.COMPOSITE && S3Checksum.Decode(found.ChecksumCRC32C) is { } crc ? crc : S3Checksum.Parse(found.Metadata[S3Checksum.Metadata]);
}
