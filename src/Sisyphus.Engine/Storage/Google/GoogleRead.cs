using Sisyphus.Engine.Tasks;

namespace Sisyphus.Engine.Storage.Google;

/// <summary>Opens bytes of a generation exactly as they are stored.</summary>
internal sealed class GoogleRead(GoogleConnection connection)
{
    // Asked without, the service unpacks what is stored with Content-Encoding: gzip, and neither length, range nor checksum is true of that:
    // https://cloud.google.com/storage/docs/transcoding
    private const string AsStored = "gzip";
    private const string Unpacked = "identity";

    /// <returns>Null when there is no such generation (any more).</returns>
    public async Task<Stream?> OpenAsync(ObjectInfo info, long offset, long length, CancellationToken cancellationToken) =>
        await connection.Parts.Requests.RunAsync(() => TryAsync(info, offset, length, AsStored, cancellationToken), cancellationToken).ConfigureAwait(false);

    private async Task<Stream?> TryAsync(ObjectInfo info, long offset, long length, string encoding, CancellationToken cancellationToken)
    {
        var name = $"{info.Bucket}:{info.Key}";
        var part = offset > 0 || length < info.Size;
        var request = new GoogleRequest(HttpMethod.Get, $"{GoogleObjects.PathOf(info.Bucket, info.Key)}?alt=media&generation={GoogleNames.Encode(info.Generation)}", $"read {name}")
        {
            Headers = [("Accept-Encoding", encoding), .. part ? [("Range", FormattableString.Invariant($"bytes={offset}-{offset + length - 1}"))] : Array.Empty<(string, string)>()],
            Expected = [404, 412, 416],
            Streams = true,
        };
        var answer = await connection.SendOnceAsync(request, cancellationToken).ConfigureAwait(false);
        var kept = false;
        try
        {
            if (answer.Code is 404 or 412 or 416)
                return null;
            if (IsChanged(answer))
            {
                // Packed only for us, because we said that we take it.
                return encoding == AsStored
                    ? await TryAsync(info, offset, length, Unpacked, cancellationToken).ConfigureAwait(false)
                    : throw new TaskFailureException(FailureReason.TransferFailed, $"Can't {request.Action}: the service packs or unpacks it on the way.") { IsRetryable = false };
            }
            if (part && (answer.Code != 206 || answer.Content.ContentRange?.From != offset))
                throw new TaskFailureException(FailureReason.TransferFailed, $"Can't {request.Action}: other bytes come than were asked for.");
            if (answer.Content.ContentLength is { } said && said != length)
                throw new TaskFailureException(FailureReason.TransferFailed, $"Can't {request.Action}: {said} bytes come instead of {length}.");
            var stream = new ObjectContent(await answer.OpenAsync(cancellationToken).ConfigureAwait(false), length, name, answer, connection.Parts);
            kept = true;
            return stream;
        }
        finally
        {
            if (!kept)
                answer.Dispose();
        }
    }

    private static bool IsChanged(GoogleAnswer answer)
    {
        const string plain = "identity";
        var sent = answer.Content.ContentEncoding.FirstOrDefault() ?? plain;
        return (answer.Header("X-Goog-Stored-Content-Encoding") ?? sent) != sent;
    }
}
