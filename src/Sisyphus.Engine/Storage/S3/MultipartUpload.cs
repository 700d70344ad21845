using System.Globalization;
using System.Net;
using Amazon.S3;
using Amazon.S3.Model;
using Sisyphus.Engine.Tasks;

namespace Sisyphus.Engine.Storage.S3;

/// <summary>The requests of an object that comes in parts (https://docs.aws.amazon.com/AmazonS3/latest/userguide/mpuoverview.html).</summary>
internal sealed class MultipartUpload(S3Connection connection, S3Target target, UploadToken token)
{
    private static readonly TimeSpan AbortTime = TimeSpan.FromSeconds(10);
    private readonly List<PartETag> _parts = [];

    /// <summary>Of the parts so far.</summary>
    public int Count => _parts.Count;

    public UploadToken Token => token;

    /// <param name="crc">Of the whole, where that is known already: servers that keep no checksums keep this.</param>
    public static async Task<MultipartUpload> BeginAsync(S3Connection connection, S3Target target, string? crc, CancellationToken cancellationToken)
    {
        var abilities = connection.Abilities;
        if (abilities.FullObjectChecksums != false)
        {
            InitiateMultipartUploadResponse? begun = null;
            try
            {
                begun = await InitiateAsync(connection, target, checksum: true, crc, cancellationToken).ConfigureAwait(false);
                abilities.FullObjectChecksums = begun.ChecksumType == ChecksumType.FULL_OBJECT && begun.ChecksumAlgorithm == ChecksumAlgorithm.CRC32C;
            }
            catch (TaskFailureException e) when (abilities.FullObjectChecksums is null && (S3Failures.Status(e) == HttpStatusCode.NotImplemented || S3Failures.Code(e) is "NotImplemented" or "InvalidRequest" or "InvalidArgument"))
            {
                abilities.FullObjectChecksums = false;
            }
            if (begun is not null && abilities.FullObjectChecksums == true)
                return new MultipartUpload(connection, target, new UploadToken(begun.UploadId, FullObject: true));
            if (begun is not null)
                await new MultipartUpload(connection, target, new UploadToken(begun.UploadId, false)).AbortAsync().ConfigureAwait(false);
        }
        var plain = await InitiateAsync(connection, target, checksum: false, crc, cancellationToken).ConfigureAwait(false);
        return new MultipartUpload(connection, target, new UploadToken(plain.UploadId, FullObject: false));
    }

    /// <summary>Takes up what the service has of an upload.</summary>
    /// <returns>The sizes of the parts, or null when there is no such upload any more.</returns>
    public async Task<IReadOnlyList<long>?> ResumeAsync(CancellationToken cancellationToken)
    {
        var sizes = new List<long>();
        string? marker = null;
        do
        {
            ListPartsResponse page;
            try
            {
                page = await connection.SendAsync(target, "go on writing", (client, watch) => client.ListPartsAsync(
                    new ListPartsRequest { BucketName = target.Bucket, Key = target.Key, UploadId = token.Id, PartNumberMarker = marker }, watch.Token), cancellationToken).ConfigureAwait(false);
            }
            catch (TaskFailureException e) when (S3Failures.Status(e) == HttpStatusCode.NotFound || S3Failures.Code(e) is "NoSuchUpload" or "NotImplemented")
            {
                return null;
            }
            foreach (var part in page.Parts ?? [])
            {
                // Behind a gap there may be more, which is sent again.
                if (part.PartNumber != _parts.Count + 1)
                    return sizes;
                _parts.Add(new PartETag(_parts.Count + 1, part.ETag));
                sizes.Add(part.Size ?? 0);
            }
            marker = page.IsTruncated == true ? page.NextPartNumberMarker?.ToString(CultureInfo.InvariantCulture) : null;
        }
        while (marker is not null);
        return sizes;
    }

    public async Task SendAsync(ReadOnlyMemory<byte> content, uint crc, byte[]? md5, CancellationToken cancellationToken)
    {
        var number = _parts.Count + 1;
        var sent = await connection.SendAsync(target, $"write part {number} of", (client, watch) => client.UploadPartAsync(
            new UploadPartRequest
            {
                BucketName = target.Bucket,
                Key = target.Key,
                UploadId = token.Id,
                PartNumber = number,
                PartSize = content.Length,
                InputStream = WatchedBody.Of(content, watch),
                UseChunkEncoding = false,
                DisablePayloadSigning = connection.IsEncrypted,
                MD5Digest = md5 is null ? null : Convert.ToBase64String(md5),
                ChecksumCRC32C = token.FullObject ? S3Checksum.Encode(crc) : null,
            },
            watch.Token), cancellationToken).ConfigureAwait(false);
        _parts.Add(new PartETag(number, sent.ETag));
    }

    /// <summary>The next part is one of another object.</summary>
    public async Task CopyAsync(ObjectInfo source, long offset, long length, CancellationToken cancellationToken)
    {
        var number = _parts.Count + 1;
        var pinned = S3Generation.Parse(source.Generation);
        var copied = await connection.SendAsync(target, $"copy {source.Bucket}:{source.Key} to", (client, watch) =>
        {
            watch.Allow(ServiceWork.TimeFor(length));
            return client.CopyPartAsync(
                new CopyPartRequest
                {
                    SourceBucket = source.Bucket,
                    SourceKey = source.Key,
                    SourceVersionId = pinned.Version,
                    ETagToMatch = [pinned.QuotedETag],
                    DestinationBucket = target.Bucket,
                    DestinationKey = target.Key,
                    UploadId = token.Id,
                    PartNumber = number,
                    FirstByte = offset,
                    LastByte = offset + length - 1,
                },
                watch.Token);
        }, cancellationToken).ConfigureAwait(false);
        _parts.Add(new PartETag(number, copied.ETag));
    }

    /// <summary>Makes an object of the parts.</summary>
    /// <param name="size">Of all parts.</param>
    /// <param name="crc">Of the whole, or null where it is not known.</param>
    /// <param name="etag">What the service has to come to, where that is known.</param>
    public async Task<ObjectInfo> CompleteAsync(long size, uint? crc, string? etag, CancellationToken cancellationToken)
    {
        S3Generation generation;
        uint? told = null;
        try
        {
            var done = await connection.SendAsync(target, "finish writing", (client, watch) =>
            {
                watch.Allow(ServiceWork.TimeFor(size));
                return client.CompleteMultipartUploadAsync(
                    new CompleteMultipartUploadRequest
                    {
                        BucketName = target.Bucket,
                        Key = target.Key,
                        UploadId = token.Id,
                        PartETags = _parts,
                        MpuObjectSize = token.FullObject ? size : null,
                        ChecksumType = token.FullObject ? ChecksumType.FULL_OBJECT : null,
                        ChecksumCRC32C = token.FullObject && crc is { } whole ? S3Checksum.Encode(whole) : null,
                    },
                    watch.Token);
            }, cancellationToken).ConfigureAwait(false);
            generation = S3Generation.Of(done.ETag, done.VersionId);
            told = S3Checksum.Decode(done.ChecksumCRC32C);
        }
        catch (TaskFailureException e) when (S3Failures.Code(e) == "NoSuchUpload")
        {
            // A first try may have done it, and only its answer was lost.
            var there = await new S3Read(connection).StatAsync(target, null, cancellationToken).ConfigureAwait(false);
            if (there is null || there.Size != size || !((crc is not null && there.Crc32C == crc) || S3Generation.Parse(there.Generation).ETag == (etag ?? ETagOfParts())))
                throw Gone(e);
            generation = S3Generation.Parse(there.Generation);
            told = there.Crc32C;
        }
        if (told is not null && crc is not null && told != crc)
            throw await connection.DamagedAsync(target, generation, $"{told:x8}", $"{crc:x8}", cancellationToken).ConfigureAwait(false);
        // Where the server encrypts or computes otherwise, an ETag is no MD5.
        if (told is null && etag is not null && generation.ETag.EndsWith($"-{_parts.Count}", StringComparison.Ordinal) && generation.ETag.Length == etag.Length && generation.ETag != etag)
            throw await connection.DamagedAsync(target, generation, generation.ETag, etag, cancellationToken).ConfigureAwait(false);
        var info = await new S3Read(connection).StatAsync(target, generation.Version, cancellationToken).ConfigureAwait(false);
        return info is not null && S3Generation.Parse(info.Generation).ETag == generation.ETag
            ? info with { Crc32C = info.Crc32C ?? told ?? crc }
            : new ObjectInfo(target.Bucket, target.Key, size, generation.ToString(), told ?? crc, S3Read.Time(connection.Parts.Time.GetUtcNow().UtcDateTime));
    }

    /// <summary>What becomes of parts whose ETags are their MD5; null where these are something else.</summary>
    private string? ETagOfParts()
    {
        var tags = _parts.ConvertAll(part => part.ETag.Trim('"'));
        return tags.TrueForAll(tag => tag.Length == 32 && tag.All(char.IsAsciiHexDigit)) ? S3Checksum.ETagOf(tags.ConvertAll(Convert.FromHexString)) : null;
    }

    /// <summary>Lets the service forget what it has. If it can't be reached, the bucket's lifecycle has to do it.</summary>
    public async Task AbortAsync()
    {
        using var limit = new CancellationTokenSource(AbortTime, connection.Parts.Time);
        try
        {
            await connection.SendAsync(target, "stop writing", (client, watch) => client.AbortMultipartUploadAsync(
                new AbortMultipartUploadRequest { BucketName = target.Bucket, Key = target.Key, UploadId = token.Id }, watch.Token), limit.Token).ConfigureAwait(false);
        }
        catch (Exception e) when (e is TaskFailureException or OperationCanceledException)
        {
            // The failure that led here is the one to tell.
        }
    }

    public static TaskFailureException Gone(TaskFailureException cause) => new(FailureReason.TransferFailed, $"{cause.Message} The upload has to begin again.", cause) { IsRetryable = true };

    private static Task<InitiateMultipartUploadResponse> InitiateAsync(S3Connection connection, S3Target target, bool checksum, string? crc, CancellationToken cancellationToken) =>
        connection.SendAsync(target, "begin to write", (client, watch) =>
        {
            var request = new InitiateMultipartUploadRequest
            {
                BucketName = target.Bucket,
                Key = target.Key,
                ContentType = S3Writer.ContentType,
                ChecksumAlgorithm = checksum ? ChecksumAlgorithm.CRC32C : null,
                ChecksumType = checksum ? ChecksumType.FULL_OBJECT : null,
            };
            if (crc is not null && !checksum)
                request.Metadata[S3Checksum.Metadata] = crc;
            return client.InitiateMultipartUploadAsync(request, watch.Token);
        }, cancellationToken);
}
