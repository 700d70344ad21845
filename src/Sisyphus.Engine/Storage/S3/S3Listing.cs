using System.Runtime.CompilerServices;
using Amazon.S3;
using Amazon.S3.Model;
using Sisyphus.Engine.Tasks;

namespace Sisyphus.Engine.Storage.S3;

/// <summary>Lists objects, a page at a time.</summary>
internal sealed class S3Listing(S3Connection connection)
{
    public async IAsyncEnumerable<ObjectInfo> EnumerateAsync(string bucket, string prefix, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        string? continuation = null;
        string? last = null;
        do
        {
            var page = await PageAsync(bucket, prefix, continuation, null, cancellationToken).ConfigureAwait(false);
            var objects = (page.S3Objects ?? []).ConvertAll(listed => new ObjectInfo(
                bucket, page.Encoding == EncodingType.Url ? S3Names.Decode(listed.Key) : listed.Key, listed.Size ?? 0, S3Generation.Of(listed.ETag, null).ToString(), null, S3Read.Time(listed.LastModified)));
            // AWS lists in this order. Other servers may go through their folders; what is out of place within a page is put right.
            objects.Sort((x, y) => Utf8Order.Instance.Compare(x.Key, y.Key));
            if (last is not null && objects.Count > 0 && Utf8Order.Instance.Compare(last, objects[0].Key) >= 0)
                throw new TaskFailureException(FailureReason.TransferFailed, $"{connection.Settings.Name} does not list bucket '{bucket}' in the order of the keys' bytes: '{objects[0].Key}' came after '{last}'.") { IsRetryable = false };
            foreach (var info in objects)
                yield return info;
            last = objects.LastOrDefault()?.Key ?? last;
            continuation = page.IsTruncated == true ? page.NextContinuationToken : null;
        }
        while (continuation is not null);
    }

    /// <summary>Whether it can be listed.</summary>
    public async Task<bool> CanListAsync(string bucket, CancellationToken cancellationToken)
    {
        try
        {
            await PageAsync(bucket, "", null, 1, cancellationToken).ConfigureAwait(false);
            return true;
        }
        catch (TaskFailureException e) when (S3Failures.Code(e) is "NoSuchBucket" or "AccessDenied" or "AllAccessDisabled" or "InvalidBucketName")
        {
            return false;
        }
    }

    private Task<ListObjectsV2Response> PageAsync(string bucket, string prefix, string? continuation, int? limit, CancellationToken cancellationToken) =>
        connection.SendAsync(new S3Target(bucket, ""), "list", (client, watch) => client.ListObjectsV2Async(
            // Not every key can stand in XML as it is.
            new ListObjectsV2Request { BucketName = bucket, Prefix = prefix, ContinuationToken = continuation, MaxKeys = limit, Encoding = EncodingType.Url }, watch.Token), cancellationToken);
}
