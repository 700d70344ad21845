using System.Security.Cryptography;
using Sisyphus.Engine.Storage.Checksums;
using Sisyphus.Engine.Tasks;

namespace Sisyphus.Engine.Storage.S3;

/// <summary>Writes a content of any length through one buffer.</summary>
internal sealed class S3Upload(S3Connection connection, S3Limits limits, S3Target target, UploadState? state)
{
    private readonly List<byte[]> _md5 = [];
    private Crc32C _crc;
    private long _size;

    public async Task<ObjectInfo> PutAsync(Stream content, CancellationToken cancellationToken)
    {
        var reader = new ChunkReader(content);
        var expected = ContentLength.Of(content);
        if (UploadToken.Parse(state?.Token, target) is { } token)
        {
            var begun = new MultipartUpload(connection, target, token);
            if (await begun.ResumeAsync(cancellationToken).ConfigureAwait(false) is { } sizes)
                return await FinishAsync(begun, () => SkipAsync(begun, sizes, reader, cancellationToken), reader, expected, cancellationToken).ConfigureAwait(false);
        }
        state?.Clear();

        MultipartUpload upload;
        var first = await connection.Parts.Memory.RentAsync((int)Math.Clamp(expected ?? limits.Chunk, 0, limits.Chunk), cancellationToken).ConfigureAwait(false);
        try
        {
            var filled = await reader.FillAsync(first.Memory, cancellationToken).ConfigureAwait(false);
            if (!reader.AtEnd && first.Memory.Length < limits.Chunk)
            {
                // It is longer than it said; and only the last part may be small.
                var begin = first.Memory[..filled].ToArray();
                first.Dispose();
                first = await connection.Parts.Memory.RentAsync(limits.Chunk, cancellationToken).ConfigureAwait(false);
                begin.CopyTo(first.Memory);
                filled += await reader.FillAsync(first.Memory[filled..], cancellationToken).ConfigureAwait(false);
            }
            var chunk = first.Memory[..filled];
            if (reader.AtEnd)
                return await new S3Writer(connection).PutAsync(target, chunk, ifAbsent: false, cancellationToken).ConfigureAwait(false);
            upload = await MultipartUpload.BeginAsync(connection, target, null, cancellationToken).ConfigureAwait(false);
            await GuardAsync(upload, async () =>
            {
                state?.Save(upload.Token.ToText(target));
                await SendAsync(upload, chunk, cancellationToken).ConfigureAwait(false);
                return true;
            }).ConfigureAwait(false);
        }
        finally
        {
            first.Dispose();
        }
        return await FinishAsync(upload, () => Task.CompletedTask, reader, expected, cancellationToken).ConfigureAwait(false);
    }

    private Task<ObjectInfo> FinishAsync(MultipartUpload upload, Func<Task> skip, ChunkReader reader, long? expected, CancellationToken cancellationToken) => GuardAsync(upload, async () =>
    {
        await skip().ConfigureAwait(false);
        while (!reader.AtEnd)
        {
            if (upload.Count == S3Limits.MaxParts)
                throw new TaskFailureException(FailureReason.InvalidDocument, $"{target} is larger than the {S3Limits.MaxParts:N0} parts that {connection.Settings.Name} takes.");
            using var next = await connection.Parts.Memory.RentAsync(limits.PartSize(upload.Count + 1, expected), cancellationToken).ConfigureAwait(false);
            var filled = await reader.FillAsync(next.Memory, cancellationToken).ConfigureAwait(false);
            // An object has a part at least.
            if (filled > 0 || upload.Count == 0)
                await SendAsync(upload, next.Memory[..filled], cancellationToken).ConfigureAwait(false);
        }
        var stored = await upload.CompleteAsync(_size, _crc.Value, upload.Token.FullObject ? null : S3Checksum.ETagOf(_md5), cancellationToken).ConfigureAwait(false);
        state?.Clear();
        return stored;
    });

    // What was begun stays with the service only as long as somebody knows of it.
    private async Task<T> GuardAsync<T>(MultipartUpload upload, Func<Task<T>> work)
    {
        if (state is not null)
            state.Abandon = upload.AbortAsync;
        try
        {
            return await work().ConfigureAwait(false);
        }
        catch (TaskFailureException e) when (S3Failures.Code(e) == "NoSuchUpload")
        {
            state?.Clear();
            throw MultipartUpload.Gone(e);
        }
        catch (Exception e) when (state is null || e is TaskFailureException failure && IsOfTheContent(failure))
        {
            await upload.AbortAsync().ConfigureAwait(false);
            state?.Clear();
            throw;
        }
    }

    // Going on would meet it again.
    private static bool IsOfTheContent(TaskFailureException failure) =>
        failure.Reason == FailureReason.InvalidDocument || S3Failures.Code(failure) is "BadDigest" or "InvalidPart" or "InvalidPartOrder" or "EntityTooSmall" or "InvalidRequest";

    // What the service has is read only for the checksum of the whole.
    private async Task SkipAsync(MultipartUpload upload, IReadOnlyList<long> sizes, ChunkReader reader, CancellationToken cancellationToken)
    {
        const int piece = 256 * 1024;
        using var buffer = await connection.Parts.Memory.RentAsync(piece, cancellationToken).ConfigureAwait(false);
        foreach (var size in sizes)
        {
            using var md5 = IncrementalHash.CreateHash(HashAlgorithmName.MD5);
            for (var left = size; left > 0;)
            {
                var filled = buffer.Memory[..await reader.FillAsync(buffer.Memory[..(int)Math.Min(piece, left)], cancellationToken).ConfigureAwait(false)];
                if (filled.Length == 0)
                {
                    await upload.AbortAsync().ConfigureAwait(false);
                    state?.Clear();
                    throw new TaskFailureException(FailureReason.TransferFailed, $"{target} can't be written: the upload that was begun holds more than there is to write now. It has to begin again.") { IsRetryable = true };
                }
                _crc.Append(filled.Span);
                if (!upload.Token.FullObject)
                    md5.AppendData(filled.Span);
                left -= filled.Length;
            }
            _size += size;
            if (!upload.Token.FullObject)
                _md5.Add(md5.GetHashAndReset());
        }
        Confirm();
    }

    private async Task SendAsync(MultipartUpload upload, ReadOnlyMemory<byte> part, CancellationToken cancellationToken)
    {
        _crc.Append(part.Span);
        _size += part.Length;
        byte[]? md5 = null;
        if (!upload.Token.FullObject)
            _md5.Add(md5 = Convert.FromBase64String(S3Checksum.Md5(part.Span)));
        await upload.SendAsync(part, upload.Token.FullObject ? Crc32C.Of(part.Span) : 0, md5, cancellationToken).ConfigureAwait(false);
        Confirm();
    }

    private void Confirm()
    {
        if (state is not null)
            state.Confirmed = _size;
    }
}
