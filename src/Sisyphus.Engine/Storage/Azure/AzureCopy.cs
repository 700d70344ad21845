using System.Security.Cryptography;
using Azure;
using Azure.Core;
using Azure.Storage.Blobs.Models;
using Azure.Storage.Sas;
using Sisyphus.Engine.Tasks;

namespace Sisyphus.Engine.Storage.Azure;

/// <summary>Copies inside the account, by the service itself: with one request, or large ones range by range. Not by a job of the service's (Copy Blob): the destination would be there before its content.</summary>
/// <param name="largestAtOnce">Bytes: https://learn.microsoft.com/rest/api/storageservices/copy-blob-from-url takes 256 MiB, and so large is a range.</param>
internal sealed class AzureCopy(AzureConnection connection, long largestAtOnce)
{
    public const long LargestAtOnce = 256L * 1024 * 1024;
    private const int RangesAtATime = 4;
    private const int MaxConflicts = 5;
    private static readonly TimeSpan SignatureTime = TimeSpan.FromHours(1);
    private static readonly TokenRequestContext Storage = new(["https://storage.azure.com/.default"]);

    /// <returns>Null when the source is another by now, or gone.</returns>
    public Task<ObjectInfo?> RunAsync(ObjectInfo source, string destination, CancellationToken cancellationToken) =>
        source.Size <= largestAtOnce ? CopyAtOnceAsync(source, destination, cancellationToken) : CopyRangesAsync(source, destination, cancellationToken);

    private Task<ObjectInfo?> CopyAtOnceAsync(ObjectInfo source, string destination, CancellationToken cancellationToken) => CallAsync(source, destination, source.Size, async (call, authorization) =>
    {
        var options = new BlobCopyFromUriOptions { SourceConditions = Pinned(source), SourceAuthentication = authorization };
        var copied = (await call.Blob(source.Bucket, destination).SyncCopyFromUriAsync(AddressOf(call, source), options, call.Token).ConfigureAwait(false)).Value;
        return source with { Key = destination, Generation = copied.ETag.ToString(), Modified = copied.LastModified };
    }, cancellationToken);

    private async Task<ObjectInfo?> CopyRangesAsync(ObjectInfo source, string destination, CancellationToken cancellationToken)
    {
        for (var tries = 1; ; tries++)
        {
            try
            {
                return await TryRangesAsync(source, destination, cancellationToken).ConfigureAwait(false);
            }
            catch (TaskFailureException e) when (e.InnerException is RequestFailedException { ErrorCode: "InvalidBlockList" } && tries < MaxConflicts)
            {
                // Another one has committed the same blob meanwhile, and with that all ranges are gone that were not in it.
            }
        }
    }

    /// <returns>Null when the source is another by now, or gone.</returns>
    private async Task<ObjectInfo?> TryRangesAsync(ObjectInfo source, string destination, CancellationToken cancellationToken)
    {
        var properties = await CallAsync(source, destination, 0, async (call, _) => (await call.Blob(source.Bucket, source.Key).GetPropertiesAsync(Pinned(source), call.Token).ConfigureAwait(false)).Value, cancellationToken).ConfigureAwait(false);
        if (properties is null)
            return null;
        var upload = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(8));
        var step = Math.Max(largestAtOnce, (source.Size + AzureBlocks.MaxCount - 1) / AzureBlocks.MaxCount);
        var ranges = Enumerable.Range(0, (int)((source.Size + step - 1) / step)).Select(index => (Id: AzureBlocks.Id(upload, index, 0), Range: new HttpRange(index * step, Math.Min(step, source.Size - (index * step))))).ToArray();
        var gone = false;
        await Parallel.ForEachAsync(ranges, new ParallelOptions { MaxDegreeOfParallelism = RangesAtATime, CancellationToken = cancellationToken }, async (range, token) =>
        {
            if (gone)
                return;
            var staged = await CallAsync(source, destination, range.Range.Length ?? 0, async (call, authorization) =>
            {
                var options = new StageBlockFromUriOptions { SourceRange = range.Range, SourceConditions = Pinned(source), SourceAuthentication = authorization };
                return (await call.Blob(source.Bucket, destination).StageBlockFromUriAsync(AddressOf(call, source), range.Id, options, call.Token).ConfigureAwait(false)).Value;
            }, token).ConfigureAwait(false);
            gone |= staged is null;
        }).ConfigureAwait(false);
        return gone ? null : await CallAsync(source, destination, source.Size, async (call, _) =>
        {
            var options = new CommitBlockListOptions { Metadata = properties.Metadata, HttpHeaders = new BlobHttpHeaders { ContentType = properties.ContentType, ContentEncoding = properties.ContentEncoding, CacheControl = properties.CacheControl } };
            var copied = (await call.Blob(source.Bucket, destination).CommitBlockListAsync(ranges.Select(range => range.Id), options, call.Token).ConfigureAwait(false)).Value;
            return source with { Key = destination, Generation = copied.ETag.ToString(), Modified = copied.LastModified };
        }, cancellationToken).ConfigureAwait(false);
    }

    /// <param name="size">Bytes that the service has to copy before it answers.</param>
    /// <returns>Null when the source is another by now, or gone.</returns>
    private Task<T?> CallAsync<T>(ObjectInfo source, string destination, long size, Func<AzureCall, HttpAuthorization?, Task<T>> request, CancellationToken cancellationToken)
        where T : class => connection.CallAsync<T?>(
        $"copy {source.Bucket}:{source.Key} to {source.Bucket}:{destination}",
        async call =>
        {
            try
            {
                var authorization = call.Login.Tokens is { } tokens ? new HttpAuthorization("Bearer", (await tokens.GetTokenAsync(Storage, call.Token).ConfigureAwait(false)).Token) : null;
                call.Allow(ServiceWork.TimeFor(size));
                return await request(call, authorization).ConfigureAwait(false);
            }
            // CannotVerifyCopySource comes with these, and with others that say that it could not be asked or not be read.
            catch (RequestFailedException e) when (e.Status is 404 or 412)
            {
                return null;
            }
        },
        cancellationToken);

    private static BlobRequestConditions Pinned(ObjectInfo source) => new() { IfMatch = new ETag(source.Generation) };

    /// <summary>The service reads the source as anybody does who has its address: with a key that is a signature made for it, and otherwise what we have ourselves.</summary>
    private Uri AddressOf(AzureCall call, ObjectInfo source)
    {
        var blob = call.Blob(source.Bucket, source.Key);
        if (blob.CanGenerateSasUri)
            return blob.GenerateSasUri(BlobSasPermissions.Read, connection.Parts.Time.GetUtcNow() + SignatureTime);
        return call.Login.Signature is { } signature ? new Uri($"{blob.Uri.AbsoluteUri}?{signature}") : blob.Uri;
    }
}
