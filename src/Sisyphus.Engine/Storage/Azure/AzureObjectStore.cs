using System.Runtime.CompilerServices;
using Azure;
using Azure.Storage.Blobs.Models;
using Sisyphus.Engine.Storage.Transfers;
using Sisyphus.Engine.Tasks;

namespace Sisyphus.Engine.Storage.Azure;

/// <summary>Azure Blob Storage: buckets are an account's containers, objects their block blobs.</summary>
internal sealed class AzureObjectStore : IObjectStore
{
    private const int PageSize = 5000;

    private readonly AzureConnection _connection;
    private readonly AzureUpload _upload;
    private readonly AzureCopy _copy;

    private AzureObjectStore(AzureConnection connection, AzureBlocks blocks, long largestCopyAtOnce)
    {
        _connection = connection;
        _upload = new AzureUpload(connection, blocks);
        _copy = new AzureCopy(connection, largestCopyAtOnce);
    }

    public string Name => _connection.Name;

    public bool MakesBuckets => false;

    /// <param name="location">Options: <c>endpoint</c> (of another cloud or an emulator), <c>sas</c> (a signature).</param>
    /// <exception cref="FormatException">An option that there is not, or a value that can't be.</exception>
    public static IObjectStore Open(StoreLocation location, StoreParts parts) => Open(location, parts, AzureBlocks.Standard, AzureCopy.LargestAtOnce);

    internal static AzureObjectStore Open(StoreLocation location, StoreParts parts, AzureBlocks blocks, long largestCopyAtOnce)
    {
        location.Allow("endpoint", "sas");
        return new AzureObjectStore(new AzureConnection(AzureAccount.Find(location, parts.Variable), location.Option("sas"), parts), blocks, largestCopyAtOnce);
    }

    public async IAsyncEnumerable<string> ListBucketsAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        for (string? page = ""; page is not null;)
        {
            var answer = await _connection.CallAsync(
                $"list the containers of {Name}",
                call => FirstAsync(call.Service.GetBlobContainersAsync(cancellationToken: call.Token).AsPages(page.Length == 0 ? null : page, PageSize)),
                cancellationToken).ConfigureAwait(false);
            foreach (var container in answer?.Values ?? [])
                yield return container.Name;
            page = answer?.ContinuationToken is { Length: > 0 } next ? next : null;
        }
    }

    // By a look into it: who may read blobs need not have the right to see the container's own properties.
    public async Task<bool> BucketExistsAsync(string bucket, CancellationToken cancellationToken) =>
        AzureNames.IsContainer(bucket) && await TryPageAsync(bucket, "", null, 1, cancellationToken).ConfigureAwait(false) is not null;

    public IAsyncEnumerable<ObjectInfo> ListAsync(string bucket, string prefix, CancellationToken cancellationToken)
    {
        RequireContainer(bucket);
        return Utf8Runs.InOrderAsync(PagesAsync(bucket, prefix, cancellationToken), cancellationToken);
    }

    public async Task<ObjectInfo?> StatAsync(string bucket, string key, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (!AzureNames.CanBe(bucket, key))
            return null;
        return await _connection.CallAsync(
            $"look at {bucket}:{key}",
            async call =>
            {
                try
                {
                    var properties = (await call.Blob(bucket, key).GetPropertiesAsync(cancellationToken: call.Token).ConfigureAwait(false)).Value;
                    return AzureObjects.IsFolder(properties.Metadata) ? null : AzureObjects.ToInfo(bucket, key, properties);
                }
                catch (RequestFailedException e) when (e.Status == 404)
                {
                    return null;
                }
            },
            cancellationToken).ConfigureAwait(false);
    }

    public async Task<Stream> OpenReadAsync(ObjectInfo info, long offset, long? length, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(offset, info.Size);
        var wanted = length ?? info.Size - offset;
        ArgumentOutOfRangeException.ThrowIfGreaterThan(wanted, info.Size - offset);
        RequireContainer(info.Bucket);
        var name = $"{info.Bucket}:{info.Key}";
        // A range of no bytes can't be asked for; the blob has to be there all the same.
        if (wanted == 0)
            return await StatAsync(info.Bucket, info.Key, cancellationToken).ConfigureAwait(false) is { } there && there.Generation == info.Generation ? Stream.Null : throw await GoneAsync(info, cancellationToken).ConfigureAwait(false);
        var answer = await _connection.CallAsync(
            $"read {name}",
            async call =>
            {
                var options = new BlobDownloadOptions { Range = new HttpRange(offset, wanted), Conditions = new BlobRequestConditions { IfMatch = new ETag(info.Generation) } };
                try
                {
                    return await AzureContent.OpenAsync(async token => (await call.Blob(info.Bucket, info.Key).DownloadStreamingAsync(options, token).ConfigureAwait(false)).Value, call.Token).ConfigureAwait(false);
                }
                catch (RequestFailedException e) when (e.Status is 404 or 412 or 416)
                {
                    return null;
                }
            },
            cancellationToken).ConfigureAwait(false) ?? throw await GoneAsync(info, cancellationToken).ConfigureAwait(false);
        if (answer.Details.ContentLength != wanted)
        {
            using (answer)
                throw new TaskFailureException(FailureReason.TransferFailed, $"Can't read {name}: {answer.Details.ContentLength} bytes come instead of {wanted}.");
        }
        return new ObjectContent(answer, wanted, name, answer, _connection.Parts);
    }

    public Task<ObjectInfo> PutAsync(string bucket, string key, Stream content, UploadState? state, CancellationToken cancellationToken)
    {
        RequireContainer(bucket);
        AzureNames.RequireKey(bucket, key);
        return _upload.PutAsync(bucket, key, content, state, cancellationToken);
    }

    public async Task<ObjectInfo?> CreateIfAbsentAsync(string bucket, string key, ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        RequireContainer(bucket);
        AzureNames.RequireKey(bucket, key);
        var tries = 0;
        try
        {
            return await _connection.Parts.Requests.RunAsync(CreateAsync, cancellationToken).ConfigureAwait(false);
        }
        catch (TaskFailureException e) when (Retry.IsWorthwhile(e))
        {
            // Nobody has answered, and it may be done all the same.
            if (await FindOwnAsync().ConfigureAwait(false) is { } own)
                return own;
            throw;
        }

        async Task<ObjectInfo?> CreateAsync()
        {
            tries++;
            return await _upload.TryPutWholeAsync(bucket, key, content, new BlobRequestConditions { IfNoneMatch = ETag.All }, cancellationToken).ConfigureAwait(false)
                // It may be what an earlier try of ours has made, whose answer was lost.
                ?? (tries > 1 ? await FindOwnAsync().ConfigureAwait(false) : null);
        }

        async Task<ObjectInfo?> FindOwnAsync()
        {
            if (await StatAsync(bucket, key, cancellationToken).ConfigureAwait(false) is not { } standing || standing.Size != content.Length)
                return null;
            var bytes = new byte[content.Length];
            var stream = await OpenReadAsync(standing, 0, null, cancellationToken).ConfigureAwait(false);
            await using (stream.ConfigureAwait(false))
                await stream.ReadExactlyAsync(bytes, cancellationToken).ConfigureAwait(false);
            return content.Span.SequenceEqual(bytes) ? standing : null;
        }
    }

    public Task<ObjectInfo?> ReplaceAsync(ObjectInfo standing, ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        RequireContainer(standing.Bucket);
        return _connection.Parts.Requests.RunAsync(
            () => _upload.TryPutWholeAsync(standing.Bucket, standing.Key, content, new BlobRequestConditions { IfMatch = new ETag(standing.Generation) }, cancellationToken), cancellationToken);
    }

    public async Task<ObjectInfo> CopyAsync(ObjectInfo source, string destinationKey, CancellationToken cancellationToken)
    {
        RequireContainer(source.Bucket);
        AzureNames.RequireKey(source.Bucket, destinationKey);
        return await _copy.RunAsync(source, destinationKey, cancellationToken).ConfigureAwait(false) ?? throw await GoneAsync(source, cancellationToken).ConfigureAwait(false);
    }

    public Task CheckWritableAsync(string bucket, IReadOnlyList<string> keys, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        RequireContainer(bucket);
        foreach (var key in keys)
            AzureNames.RequireKey(bucket, key);
        return Task.CompletedTask;
    }

    public async Task DeleteAsync(string bucket, string key, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (!AzureNames.CanBe(bucket, key))
            return;
        await _connection.CallAsync(
            $"delete {bucket}:{key}",
            async call =>
            {
                try
                {
                    await call.Blob(bucket, key).DeleteAsync(DeleteSnapshotsOption.IncludeSnapshots, cancellationToken: call.Token).ConfigureAwait(false);
                    return true;
                }
                catch (RequestFailedException e) when (e.Status == 404)
                {
                    return false;
                }
            },
            cancellationToken).ConfigureAwait(false);
    }

    private async IAsyncEnumerable<ObjectInfo> PagesAsync(string bucket, string prefix, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        for (string? page = ""; page is not null;)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var answer = await TryPageAsync(bucket, prefix, page.Length == 0 ? null : page, PageSize, cancellationToken).ConfigureAwait(false) ?? throw StoreFailures.MissingBucket(bucket, Name);
            foreach (var item in answer.Values)
            {
                if (!AzureObjects.IsFolder(item.Metadata))
                    yield return AzureObjects.ToInfo(bucket, item);
            }
            page = answer.ContinuationToken is { Length: > 0 } next ? next : null;
        }
    }

    /// <returns>Null when there is no such container.</returns>
    private Task<Page<BlobItem>?> TryPageAsync(string bucket, string prefix, string? from, int size, CancellationToken cancellationToken) => _connection.CallAsync(
        prefix.Length > 0 ? $"list {bucket}:{prefix}" : $"look into the container '{bucket}' of {Name}",
        async call =>
        {
            try
            {
                var options = new GetBlobsOptions { Traits = BlobTraits.Metadata, Prefix = prefix.Length == 0 ? null : prefix };
                return await FirstAsync(call.Container(bucket).GetBlobsAsync(options, call.Token).AsPages(from, size)).ConfigureAwait(false);
            }
            catch (RequestFailedException e) when (AzureErrors.IsMissingContainer(e))
            {
                return null;
            }
        },
        cancellationToken);

    private static async Task<Page<T>?> FirstAsync<T>(IAsyncEnumerable<Page<T>> pages)
        where T : notnull
    {
        await foreach (var page in pages.ConfigureAwait(false))
            return page;
        return null;
    }

    /// <summary>Why a generation that was there is not: it was replaced or deleted, or the container was.</summary>
    private async Task<TaskFailureException> GoneAsync(ObjectInfo info, CancellationToken cancellationToken)
    {
        if (await StatAsync(info.Bucket, info.Key, cancellationToken).ConfigureAwait(false) is { } there)
        {
            return there.Generation == info.Generation
                ? new TaskFailureException(FailureReason.TransferFailed, $"Can't find {info.Bucket}:{info.Key}: {Name} said that it is another one or gone, and it is there as it was.")
                : StoreFailures.Changed($"{info.Bucket}:{info.Key}");
        }
        return await BucketExistsAsync(info.Bucket, cancellationToken).ConfigureAwait(false) ? StoreFailures.Missing($"{info.Bucket}:{info.Key}") : StoreFailures.MissingBucket(info.Bucket, Name);
    }

    private void RequireContainer(string bucket)
    {
        if (!AzureNames.IsContainer(bucket))
            throw StoreFailures.MissingBucket(bucket, Name);
    }
}
