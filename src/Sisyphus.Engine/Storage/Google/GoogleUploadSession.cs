using System.Globalization;
using Sisyphus.Engine.Storage.Checksums;
using Sisyphus.Engine.Storage.Transfers;
using Sisyphus.Engine.Tasks;

namespace Sisyphus.Engine.Storage.Google;

/// <summary>A resumable upload (https://cloud.google.com/storage/docs/performing-resumable-uploads): chunk after chunk, and after any break on from what the service says that it has.</summary>
/// <param name="session">Its address, which lets everybody write who knows it.</param>
internal sealed class GoogleUploadSession(GoogleConnection connection, string bucket, string key, string session, UploadState? state)
{
    private static readonly TimeSpan CancelTime = TimeSpan.FromSeconds(5);

    private readonly string _action = $"write {bucket}:{key}";
    private readonly GoogleReceipt _receipt = new(connection);
    private Crc32C _crc;
    // Nothing more can come of the session.
    private bool _isOver;

    /// <summary>Sends a content whose first chunk is in the buffer.</summary>
    public Task<ObjectInfo> RunAsync(Stream content, Memory<byte> buffer, int filled, CancellationToken cancellationToken) =>
        OrGiveUpAsync(() => SendAsync(content, buffer, 0, filled, cancellationToken));

    /// <summary>Goes on with a content from its beginning: what the service has is read and not sent.</summary>
    /// <returns>Null when the service does not know the session any more, or what came of it is not there any more; nothing was read then.</returns>
    public async Task<ObjectInfo?> TryResumeAsync(Stream content, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        var standing = await connection.Parts.Requests.RunAsync(() => AskAsync(null, cancellationToken), cancellationToken).ConfigureAwait(false);
        // The service tells for a week what came of a session, also of what was deleted or replaced since.
        if (standing is null || (standing.Done is { } done && !await IsThereAsync(done, cancellationToken).ConfigureAwait(false)))
            return null;
        return await OrGiveUpAsync(() => ResumeAsync(standing, content, buffer, cancellationToken)).ConfigureAwait(false);
    }

    private async Task<bool> IsThereAsync(ObjectInfo done, CancellationToken cancellationToken)
    {
        var request = new GoogleRequest(HttpMethod.Get, $"{GoogleObjects.PathOf(bucket, key)}?ifGenerationMatch={GoogleNames.Encode(done.Generation)}&fields={ObjectResource.Fields}", $"look at {bucket}:{key}")
        {
            // Who may write it need not be allowed to look at it, and has the service's word only.
            Expected = [403, 404, 412],
        };
        return await connection.SendAsync(request, answer => answer.Code is not (404 or 412), cancellationToken).ConfigureAwait(false);
    }

    private async Task<ObjectInfo> OrGiveUpAsync(Func<Task<ObjectInfo>> work)
    {
        if (state is not null)
            state.Abandon = CancelAsync;
        try
        {
            return await work().ConfigureAwait(false);
        }
        catch when (state is null || _isOver)
        {
            await CancelAsync().ConfigureAwait(false);
            throw;
        }
    }

    private async Task<ObjectInfo> ResumeAsync(Standing standing, Stream content, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        var skipped = 0L;
        while (standing.Done is not null || skipped < standing.Confirmed)
        {
            var wanted = standing.Done is null ? (int)Math.Min(buffer.Length, standing.Confirmed - skipped) : buffer.Length;
            var read = await content.ReadAsync(buffer[..wanted], cancellationToken).ConfigureAwait(false);
            if (read == 0)
                break;
            _crc.Append(buffer.Span[..read]);
            skipped += read;
        }
        if (standing.Done is { } done)
            return await FinishAsync(done, skipped, cancellationToken).ConfigureAwait(false);
        if (skipped < standing.Confirmed)
            throw Over("the content is shorter than what was sent of it before");
        Confirm(standing.Confirmed);
        var filled = await content.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, cancellationToken).ConfigureAwait(false);
        return await SendAsync(content, buffer, skipped, filled, cancellationToken).ConfigureAwait(false);
    }

    private async Task<ObjectInfo> SendAsync(Stream content, Memory<byte> buffer, long offset, int filled, CancellationToken cancellationToken)
    {
        while (true)
        {
            _crc.Append(buffer.Span[..filled]);
            var isLast = filled < buffer.Length;
            var done = await SendChunkAsync(buffer[..filled], offset, isLast ? offset + filled : null, cancellationToken).ConfigureAwait(false);
            offset += filled;
            if (isLast)
                return await FinishAsync(done ?? throw Over("the service has all of it and does not finish"), offset, cancellationToken).ConfigureAwait(false);
            filled = await content.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Sends until all of the chunk is confirmed; a break is followed by a question.</summary>
    /// <param name="total">Of the content; null when more follows.</param>
    private async Task<ObjectInfo?> SendChunkAsync(ReadOnlyMemory<byte> chunk, long offset, long? total, CancellationToken cancellationToken)
    {
        var (end, confirmed) = (offset + chunk.Length, offset);
        var (failures, ask) = (0, false);
        while (true)
        {
            try
            {
                var standing = (ask
                    ? await AskAsync(total, cancellationToken).ConfigureAwait(false)
                    : await PutAsync(chunk[(int)(confirmed - offset)..], confirmed, total, cancellationToken).ConfigureAwait(false))
                    ?? throw Over("the upload that was begun is no longer there");
                if (standing.Done is not null)
                    return standing.Done;
                if (standing.Confirmed < confirmed || standing.Confirmed > end)
                    throw Over($"the service has {standing.Confirmed} bytes and not the {confirmed} to {end} that it had or was sent");
                if (standing.Confirmed > confirmed)
                    failures = 0;
                else if (!ask)
                    throw new TaskFailureException(FailureReason.TransferFailed, $"Can't {_action}: the service takes nothing more after {confirmed} bytes.");
                ask = false;
                confirmed = standing.Confirmed;
                Confirm(confirmed);
                if (confirmed == end && total is null)
                    return null;
            }
            catch (Exception e) when (!_isOver && Retry.IsWorthwhile(e) && ++failures < connection.Parts.Requests.Attempts)
            {
                await connection.Parts.Requests.PauseAsync(failures, e, cancellationToken).ConfigureAwait(false);
                ask = true;
            }
        }
    }

    private Task<Standing?> PutAsync(ReadOnlyMemory<byte> bytes, long offset, long? total, CancellationToken cancellationToken) => bytes.Length == 0
        ? AskAsync(total, cancellationToken)
        : RequestAsync(bytes, FormattableString.Invariant($"bytes {offset}-{offset + bytes.Length - 1}/{Text(total)}"), total, cancellationToken);

    private Task<Standing?> AskAsync(long? total, CancellationToken cancellationToken) => RequestAsync(ReadOnlyMemory<byte>.Empty, $"bytes */{Text(total)}", total, cancellationToken);

    /// <returns>Null when the service does not know the session.</returns>
    private async Task<Standing?> RequestAsync(ReadOnlyMemory<byte> bytes, string range, long? total, CancellationToken cancellationToken)
    {
        var request = new GoogleRequest(HttpMethod.Put, session, _action)
        {
            Content = () =>
            {
                var content = new PieceContent(bytes);
                content.Headers.TryAddWithoutValidation("Content-Range", range);
                return content;
            },
            // With what ends the upload: the service makes no object of anything else.
            Headers = total is null ? [] : [("X-Goog-Hash", $"crc32c={GoogleObjects.ToText(_crc.Value)}")],
            Expected = [308, 400, 404, 410, 499],
        };
        using var answer = await connection.SendOnceAsync(request, cancellationToken).ConfigureAwait(false);
        switch (answer.Code)
        {
            case 308:
                return new Standing(Confirmed(answer), null);
            case 404 or 410 or 499:
                return null;
            case 400:
                throw Over(answer.ToFailure(_action));
            default:
                return new Standing(0, answer.ReadObject(bucket, _action));
        }
    }

    // "Range: bytes=0-524287" names the last byte that is kept; without the header it is none.
    private static long Confirmed(GoogleAnswer answer) =>
        answer.Header("Range") is { } range && long.TryParse(range.AsSpan(range.LastIndexOf('-') + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var last) ? last + 1 : 0;

    private static string Text(long? total) => total?.ToString(CultureInfo.InvariantCulture) ?? "*";

    private void Confirm(long bytes)
    {
        if (state is not null)
            state.Confirmed = bytes;
    }

    private async Task<ObjectInfo> FinishAsync(ObjectInfo stored, long size, CancellationToken cancellationToken)
    {
        // Whatever it is, it can't be gone on with.
        state?.Clear();
        return await _receipt.CheckAsync(stored, size, _crc.Value, cancellationToken).ConfigureAwait(false);
    }

    private TaskFailureException Over(string why) => Over(new TaskFailureException(FailureReason.TransferFailed, $"Can't {_action}: {why}."));

    /// <summary>Only from the beginning of the content, by whoever can give it once more.</summary>
    private TaskFailureException Over(TaskFailureException why)
    {
        _isOver = true;
        state?.Clear();
        return why;
    }

    private async Task CancelAsync()
    {
        using var limit = new CancellationTokenSource(CancelTime, connection.Parts.Time);
        try
        {
            (await connection.SendOnceAsync(new GoogleRequest(HttpMethod.Delete, session, $"give up to {_action}") { Expected = [404, 410, 499] }, limit.Token).ConfigureAwait(false)).Dispose();
        }
        catch (Exception e) when (e is TaskFailureException or OperationCanceledException)
        {
            // It is gone after a week by itself, and nobody sees it.
        }
    }

    /// <param name="Confirmed">Bytes that the service keeps.</param>
    /// <param name="Done">The object, when the upload is complete.</param>
    private sealed record Standing(long Confirmed, ObjectInfo? Done);
}
