using System.Buffers;
using Azure;
using Azure.Storage;
using Azure.Storage.Blobs.Models;
using Sisyphus.Engine.Storage.Checksums;
using Sisyphus.Engine.Tasks;

namespace Sisyphus.Engine.Storage.Azure;

/// <summary>An upload in blocks (https://learn.microsoft.com/rest/api/storageservices/put-block-list). The service keeps what was not committed for a week, and nobody sees it.</summary>
/// <param name="token">The beginning of each block's name: blocks of another upload of the same blob are not ours.</param>
internal sealed class AzureUploadRun(AzureConnection connection, AzureBlocks blocks, string container, string key, string token, UploadState? state)
{
    private static readonly UploadTransferValidationOptions Verified = new() { ChecksumAlgorithm = StorageChecksumAlgorithm.MD5 };

    private readonly string _action = $"write {container}:{key}";
    private readonly List<string> _ids = [];
    private Crc32C _crc;
    private long _size;
    /// <summary>Of each block that the service has had before.</summary>
    private readonly List<uint> _found = [];

    public string Token => token;

    public string Container => container;

    public string Key => key;

    public UploadState? State => state;

    /// <summary>Whether there is something to go on with.</summary>
    public async Task<bool> FindAsync(CancellationToken cancellationToken)
    {
        var had = await connection.CallAsync(
            _action,
            async call =>
            {
                try
                {
                    var list = await call.Blob(container, key).GetBlockListAsync(BlockListTypes.All, cancellationToken: call.Token).ConfigureAwait(false);
                    // Committed, they were sent and all that was lost is the answer; the commit is done again.
                    return list.Value.CommittedBlocks.Concat(list.Value.UncommittedBlocks).ToList();
                }
                catch (RequestFailedException e) when (e.Status == 404)
                {
                    return [];
                }
            },
            cancellationToken).ConfigureAwait(false);
        var ours = new Dictionary<int, (uint Crc, long Size)>();
        foreach (var block in had)
        {
            if (AzureBlocks.Parse(block.Name, token) is { } part)
                ours[part.Index] = (part.Crc, block.SizeLong);
        }
        // The last one of all may be shorter; it is sent again.
        while (ours.TryGetValue(_found.Count, out var next) && next.Size == blocks.SizeOf(_found.Count))
            _found.Add(next.Crc);
        return _found.Count > 0;
    }

    /// <summary>Sends what follows, and makes it a blob.</summary>
    /// <param name="content">At its beginning where something was found, and otherwise after what was sent.</param>
    public async Task<ObjectInfo> SendRestAsync(Stream content, CancellationToken cancellationToken)
    {
        await SkipAsync(content, cancellationToken).ConfigureAwait(false);
        while (true)
        {
            var wanted = blocks.SizeOf(_ids.Count);
            using var buffer = await connection.Parts.Memory.RentAsync(wanted, cancellationToken).ConfigureAwait(false);
            var read = await content.ReadAtLeastAsync(buffer.Memory, wanted, throwOnEndOfStream: false, cancellationToken).ConfigureAwait(false);
            if (read > 0)
                await SendAsync(buffer.Memory[..read], cancellationToken).ConfigureAwait(false);
            if (read < wanted)
                break;
        }
        return await connection.Parts.Requests.RunAsync(() => CommitAsync(cancellationToken), cancellationToken).ConfigureAwait(false);
    }

    public async Task SendAsync(ReadOnlyMemory<byte> block, CancellationToken cancellationToken)
    {
        if (_ids.Count == AzureBlocks.MaxCount)
            throw new TaskFailureException(FailureReason.TransferFailed, $"Can't {_action}: it is larger than {AzureBlocks.MaxCount} blocks.") { IsRetryable = false };
        var id = AzureBlocks.Id(token, _ids.Count, Crc32C.Of(block.Span));
        await connection.CallAsync(
            _action,
            async call =>
            {
                try
                {
                    using var stream = AzureUpload.StreamOf(block);
                    return await call.Blob(container, key).StageBlockAsync(id, stream, new BlockBlobStageBlockOptions { TransferValidation = Verified, ProgressHandler = call }, call.Token).ConfigureAwait(false);
                }
                catch (RequestFailedException e) when (AzureErrors.IsMissingContainer(e))
                {
                    throw StoreFailures.MissingBucket(container, connection.Name);
                }
            },
            cancellationToken).ConfigureAwait(false);
        Passed(id, block.Span);
        if (state is not null)
            state.Confirmed = _size;
    }

    private async Task SkipAsync(Stream content, CancellationToken cancellationToken)
    {
        if (_ids.Count >= _found.Count)
            return;
        var buffer = ArrayPool<byte>.Shared.Rent(256 * 1024);
        try
        {
            while (_ids.Count < _found.Count)
            {
                var block = new Crc32C();
                var end = _size + blocks.SizeOf(_ids.Count);
                while (_size < end)
                {
                    var read = await content.ReadAsync(buffer.AsMemory(0, (int)Math.Min(buffer.Length, end - _size)), cancellationToken).ConfigureAwait(false);
                    if (read == 0)
                        throw StartOver("the content is shorter than what was sent of it before");
                    block.Append(buffer.AsSpan(0, read));
                    Passed(null, buffer.AsSpan(0, read));
                }
                // The service would put together what is of two contents, and nobody would notice before it is read.
                if (block.Value != _found[_ids.Count])
                    throw StartOver("the content is not the one that was sent of it before");
                _ids.Add(AzureBlocks.Id(token, _ids.Count, block.Value));
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
        state!.Confirmed = _size;
    }

    /// <summary>Idempotent: what an earlier try has committed is committed again.</summary>
    private Task<ObjectInfo> CommitAsync(CancellationToken cancellationToken) => connection.CallOnceAsync(
        _action,
        async call =>
        {
            try
            {
                call.Allow(ServiceWork.TimeFor(_size));
                var stored = await call.Blob(container, key).CommitBlockListAsync(_ids, new CommitBlockListOptions { Metadata = AzureObjects.Metadata(_crc.Value) }, call.Token).ConfigureAwait(false);
                return AzureObjects.ToInfo(container, key, _size, _crc.Value, stored.Value);
            }
            catch (RequestFailedException e) when (AzureErrors.IsMissingContainer(e))
            {
                throw StoreFailures.MissingBucket(container, connection.Name);
            }
            catch (RequestFailedException e) when (AzureErrors.Code(e) is "InvalidBlockList" or "InvalidBlobOrBlock" or "BlobNotFound" or "InvalidBlockId")
            {
                throw StartOver("the blocks that were sent are no longer there, as when somebody else has written it meanwhile");
            }
        },
        cancellationToken);

    private void Passed(string? id, ReadOnlySpan<byte> bytes)
    {
        if (id is not null)
            _ids.Add(id);
        _crc.Append(bytes);
        _size += bytes.Length;
    }

    // Going on from here does not help; the caller, who has the content, may begin anew.
    private TaskFailureException StartOver(string why)
    {
        state?.Clear();
        return new TaskFailureException(FailureReason.TransferFailed, $"Can't {_action}: {why}.");
    }
}
