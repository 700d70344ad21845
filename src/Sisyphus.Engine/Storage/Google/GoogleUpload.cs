using System.Net;
using System.Text;
using System.Text.Json;
using Sisyphus.Engine.Storage.Checksums;
using Sisyphus.Engine.Tasks;

namespace Sisyphus.Engine.Storage.Google;

/// <summary>Writes objects: a small one with one request, a larger one in a session that goes on after a break.</summary>
/// <param name="chunkSize">A multiple of 256 KiB, as the service wants it; what waits in memory until it is confirmed.</param>
internal sealed class GoogleUpload(GoogleConnection connection, int chunkSize)
{
    /// <summary>https://cloud.google.com/storage/docs/request-preconditions#special-case.</summary>
    public const string NoGeneration = "0";

    public const int DefaultChunkSize = 8 * 1024 * 1024;

    private readonly GoogleReceipt _receipt = new(connection);

    public async Task<ObjectInfo> PutAsync(string bucket, string key, Stream content, UploadState? state, CancellationToken cancellationToken)
    {
        // A byte more than there is: so its end is seen.
        var wanted = ContentLength.Of(content) is { } length && state?.Token is null ? (int)Math.Min(length + 1, chunkSize) : chunkSize;
        var buffer = await connection.Parts.Memory.RentAsync(wanted, cancellationToken).ConfigureAwait(false);
        try
        {
            if (state?.Token is { } token)
            {
                // Another service's session is none of ours.
                if (Uri.TryCreate(token, UriKind.Absolute, out var known) && connection.Endpoint.Owns(known)
                    && await new GoogleUploadSession(connection, bucket, key, token, state).TryResumeAsync(content, buffer.Memory, cancellationToken).ConfigureAwait(false) is { } resumed)
                    return resumed;
                // It is no longer there, and nothing of the content has been read.
                state.Clear();
            }
            var read = await content.ReadAtLeastAsync(buffer.Memory, wanted, throwOnEndOfStream: false, cancellationToken).ConfigureAwait(false);
            if (read == wanted && wanted < chunkSize)
            {
                // It is longer than it said.
                var begin = buffer.Memory.ToArray();
                buffer.Dispose();
                buffer = await connection.Parts.Memory.RentAsync(chunkSize, cancellationToken).ConfigureAwait(false);
                begin.CopyTo(buffer.Memory);
                read += await content.ReadAtLeastAsync(buffer.Memory[read..], chunkSize - read, throwOnEndOfStream: false, cancellationToken).ConfigureAwait(false);
            }
            if (read < chunkSize)
                return await PutWholeAsync(bucket, key, buffer.Memory[..read], cancellationToken).ConfigureAwait(false);
            var session = await BeginAsync(bucket, key, cancellationToken).ConfigureAwait(false);
            state?.Save(session);
            return await new GoogleUploadSession(connection, bucket, key, session, state).RunAsync(content, buffer.Memory, read, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            buffer.Dispose();
        }
    }

    private Task<ObjectInfo> PutWholeAsync(string bucket, string key, ReadOnlyMemory<byte> content, CancellationToken cancellationToken) =>
        connection.Parts.Requests.RunAsync(async () => (await TryPutWholeAsync(bucket, key, content, ifGeneration: null, cancellationToken).ConfigureAwait(false))!, cancellationToken);

    /// <summary>One try; the service itself compares what it receives with the checksum.</summary>
    /// <param name="ifGeneration">Only in the place of this one; <see cref="NoGeneration"/> where there must be none, null for any.</param>
    /// <returns>Null when another one is there.</returns>
    public async Task<ObjectInfo?> TryPutWholeAsync(string bucket, string key, ReadOnlyMemory<byte> content, string? ifGeneration, CancellationToken cancellationToken)
    {
        var crc = Crc32C.Of(content.Span);
        var metadata = JsonSerializer.SerializeToUtf8Bytes(new UploadMetadata(key, GoogleObjects.ToText(crc)), GoogleJson.Default.UploadMetadata);
        var request = new GoogleRequest(
            HttpMethod.Post,
            $"/upload/storage/v1/b/{GoogleNames.Encode(bucket)}/o?uploadType=multipart{(ifGeneration is null ? "" : $"&ifGenerationMatch={GoogleNames.Encode(ifGeneration)}")}&fields={ObjectResource.Fields}",
            $"write {bucket}:{key}")
        {
            Content = () => Related(metadata, content),
            Expected = ifGeneration is null ? [404] : [404, 412],
        };
        using var answer = await connection.SendOnceAsync(request, cancellationToken).ConfigureAwait(false);
        return answer.Status switch
        {
            HttpStatusCode.NotFound => throw StoreFailures.MissingBucket(bucket, connection.Endpoint.Name),
            HttpStatusCode.PreconditionFailed => null,
            _ => await _receipt.CheckAsync(answer.ReadObject(bucket, request.Action), content.Length, crc, cancellationToken).ConfigureAwait(false),
        };
    }

    /// <returns>The session's address, as the service wrote it.</returns>
    private async Task<string> BeginAsync(string bucket, string key, CancellationToken cancellationToken)
    {
        var request = new GoogleRequest(
            HttpMethod.Post,
            $"/upload/storage/v1/b/{GoogleNames.Encode(bucket)}/o?uploadType=resumable&name={GoogleNames.Encode(key)}&fields={ObjectResource.Fields}",
            $"write {bucket}:{key}")
        {
            Content = () => new ByteArrayContent([]),
            Headers = [("X-Upload-Content-Type", "application/octet-stream")],
            Expected = [404],
        };
        return await connection.SendAsync(request, SessionOf, cancellationToken).ConfigureAwait(false);

        string SessionOf(GoogleAnswer answer)
        {
            if (answer.Status == HttpStatusCode.NotFound)
                throw StoreFailures.MissingBucket(bucket, connection.Endpoint.Name);
            return answer.Header("Location") is { } session && Uri.TryCreate(session, UriKind.Absolute, out var address) && address is { Scheme: "http" or "https" }
                ? session
                : throw new TaskFailureException(FailureReason.TransferFailed, $"Can't {request.Action}: the service has begun an upload and does not say where.");
        }
    }

    // Two parts (RFC 2387): what is said of the object, and the object.
    private static PieceContent Related(byte[] metadata, ReadOnlyMemory<byte> content)
    {
        // At random, so that no content can hold it.
        var boundary = Guid.NewGuid().ToString("N");
        var head = Encoding.ASCII.GetBytes($"--{boundary}\r\nContent-Type: application/json; charset=UTF-8\r\n\r\n");
        var middle = Encoding.ASCII.GetBytes($"\r\n--{boundary}\r\nContent-Type: application/octet-stream\r\n\r\n");
        var tail = Encoding.ASCII.GetBytes($"\r\n--{boundary}--\r\n");
        var related = new PieceContent(head, metadata, middle, content, tail);
        related.Headers.TryAddWithoutValidation("Content-Type", $"multipart/related; boundary={boundary}");
        return related;
    }
}
