using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Azure;
using Azure.Storage;
using Azure.Storage.Blobs.Models;
using Sisyphus.Engine.Storage.Checksums;

namespace Sisyphus.Engine.Storage.Azure;

/// <summary>Writes blobs: a small one with one request, a larger one in blocks, of which those that arrived need not be sent again after a break. The service compares each request's content with its MD5.</summary>
internal sealed class AzureUpload(AzureConnection connection, AzureBlocks blocks)
{
    private static readonly UploadTransferValidationOptions Verified = new() { ChecksumAlgorithm = StorageChecksumAlgorithm.MD5 };

    public async Task<ObjectInfo> PutAsync(string container, string key, Stream content, UploadState? state, CancellationToken cancellationToken)
    {
        if (state?.Token is { } token)
            return await ResumeAsync(new AzureUploadRun(connection, blocks, container, key, token, state), content, cancellationToken).ConfigureAwait(false);
        using (var buffer = await connection.Parts.Memory.RentAsync(blocks.First, cancellationToken).ConfigureAwait(false))
        {
            var read = await content.ReadAtLeastAsync(buffer.Memory, blocks.First, throwOnEndOfStream: false, cancellationToken).ConfigureAwait(false);
            if (read < blocks.First)
                return await PutWholeAsync(container, key, buffer.Memory[..read], cancellationToken).ConfigureAwait(false);
            var run = new AzureUploadRun(connection, blocks, container, key, NewToken(), state);
            state?.Save(run.Token);
            await run.SendAsync(buffer.Memory, cancellationToken).ConfigureAwait(false);
            // The next may be larger; two are never held.
            buffer.Dispose();
            return await run.SendRestAsync(content, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>One try; without the condition idempotent.</summary>
    /// <returns>Null when the condition does not hold.</returns>
    public async Task<ObjectInfo?> TryPutWholeAsync(string container, string key, ReadOnlyMemory<byte> content, BlobRequestConditions? condition, CancellationToken cancellationToken)
    {
        var crc = Crc32C.Of(content.Span);
        return await connection.CallOnceAsync(
            $"write {container}:{key}",
            async call =>
            {
                var options = new BlobUploadOptions
                {
                    Metadata = AzureObjects.Metadata(crc),
                    Conditions = condition,
                    TransferValidation = Verified,
                    ProgressHandler = call,
                    // All in one request.
                    TransferOptions = new StorageTransferOptions { InitialTransferSize = blocks.Largest, MaximumTransferSize = blocks.Largest, MaximumConcurrency = 1 },
                };
                try
                {
                    using var stream = StreamOf(content);
                    var stored = await call.Blob(container, key).UploadAsync(stream, options, call.Token).ConfigureAwait(false);
                    return AzureObjects.ToInfo(container, key, content.Length, crc, stored.Value);
                }
                catch (RequestFailedException e) when (condition is not null && (e.Status == 412 || AzureErrors.Code(e) == "BlobAlreadyExists"))
                {
                    return null;
                }
                catch (RequestFailedException e) when (AzureErrors.IsMissingContainer(e))
                {
                    throw StoreFailures.MissingBucket(container, connection.Name);
                }
            },
            cancellationToken).ConfigureAwait(false);
    }

    public static Stream StreamOf(ReadOnlyMemory<byte> bytes) =>
        MemoryMarshal.TryGetArray(bytes, out var segment) && segment.Array is not null ? new MemoryStream(segment.Array, segment.Offset, segment.Count, writable: false) : new MemoryStream(bytes.ToArray());

    private Task<ObjectInfo> PutWholeAsync(string container, string key, ReadOnlyMemory<byte> content, CancellationToken cancellationToken) =>
        connection.Parts.Requests.RunAsync(async () => (await TryPutWholeAsync(container, key, content, null, cancellationToken).ConfigureAwait(false))!, cancellationToken);

    private async Task<ObjectInfo> ResumeAsync(AzureUploadRun run, Stream content, CancellationToken cancellationToken)
    {
        if (await run.FindAsync(cancellationToken).ConfigureAwait(false))
            return await run.SendRestAsync(content, cancellationToken).ConfigureAwait(false);
        // Nothing has been read of the content: from the start, as if it were the first time.
        run.State!.Clear();
        return await PutAsync(run.Container, run.Key, content, run.State, cancellationToken).ConfigureAwait(false);
    }

    private static string NewToken() => Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(8));
}
