using System.Buffers;
using System.Globalization;
using System.IO.Pipelines;
using System.Security.Cryptography;
using System.Text;
using Sisyphus.Tests.StoreEmulator.Objects;

namespace Sisyphus.Tests.StoreEmulator.S3;

/// <summary>A request's content, received and compared with all that was said of it.</summary>
internal sealed class S3Body
{
    private const int Piece = 256 * 1024;
    private readonly SparseHash _md5 = new(HashAlgorithmName.MD5);
    private readonly SparseHash? _sha256;
    private readonly Dictionary<string, S3Checksums> _sums = [];
    private readonly Dictionary<string, string> _told = [];

    private S3Body(S3Request request, SignatureV4 signature, S3EmulatorOptions options)
    {
        if (!signature.Payload.StartsWith("STREAMING-", StringComparison.Ordinal) && signature.Payload != "UNSIGNED-PAYLOAD")
            _sha256 = new SparseHash(HashAlgorithmName.SHA256);
        if (options.HasNoChecksums)
            return;
        foreach (var algorithm in S3Checksums.Algorithms)
        {
            var header = $"x-amz-checksum-{algorithm}";
            if (request.Header(header) is { } told)
                _told[algorithm] = told;
            else if (request.Header("x-amz-trailer")?.Contains(header, StringComparison.OrdinalIgnoreCase) != true)
                continue;
            _sums[algorithm] = S3Checksums.Of(algorithm);
        }
        if (_sums.Count > 1)
            throw S3Error.Invalid("Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.");
    }

    public StoredContent Content { get; } = new();

    /// <summary>Hexadecimal.</summary>
    public string Md5 { get; private set; } = "";

    /// <summary>The one that was sent and found right.</summary>
    public (string Algorithm, string Value)? Checksum => _told.Count > 0 ? (_told.First().Key, _told.First().Value) : null;

    /// <exception cref="S3Error">The content is not what was said.</exception>
    public static async Task<S3Body> ReceiveAsync(S3Request request, SignatureV4 signature, S3EmulatorOptions options)
    {
        if (request.Context.Request.ContentLength is null && request.Header("x-amz-decoded-content-length") is null)
            throw new S3Error(411, "MissingContentLength", "You must provide the Content-Length HTTP header.");
        var body = new S3Body(request, signature, options);
        if (signature.Payload.StartsWith("STREAMING-", StringComparison.Ordinal))
            await body.ReadChunksAsync(request, signature);
        else
            await body.ReadAllAsync(request);
        body.Verify(request, signature);
        return body;
    }

    private async Task ReadAllAsync(S3Request request)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(Piece);
        try
        {
            int count;
            while ((count = await request.Context.Request.Body.ReadAtLeastAsync(buffer, Piece, throwOnEndOfStream: false, request.Aborted)) > 0)
                Append(buffer.AsSpan(0, count));
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    // Chunks: size in hexadecimal, perhaps a signature, the bytes; one of no bytes; headers that follow the content.
    private async Task ReadChunksAsync(S3Request request, SignatureV4 signature)
    {
        var signed = signature.Payload.StartsWith("STREAMING-AWS4-HMAC-SHA256-PAYLOAD", StringComparison.Ordinal);
        var pipe = request.Context.Request.BodyReader;
        while (true)
        {
            var head = (await LineAsync(pipe, request.Aborted)).Split(';');
            if (!int.TryParse(head[0], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var size))
                throw new S3Error(400, "InvalidChunkSizeError", "Only the last chunk is allowed to have a size less than 8192 bytes");
            var chunk = (await ExactlyAsync(pipe, size, request.Aborted)).AsSpan();
            if (signed)
                signature.VerifyChunk(chunk, head.Length > 1 ? head[1].Replace("chunk-signature=", "", StringComparison.Ordinal) : "");
            Append(chunk);
            if (size == 0)
                break;
            if ((await LineAsync(pipe, request.Aborted)).Length > 0)
                throw new S3Error(400, "IncompleteBody", "The request body terminated unexpectedly");
        }
        if (!signature.Payload.EndsWith("-TRAILER", StringComparison.Ordinal))
            return;
        var trailer = new StringBuilder();
        for (string line; (line = await LineAsync(pipe, request.Aborted)).Length > 0;)
        {
            if (line.Split(':', 2) is not [var name, var value])
                throw new S3Error(400, "MalformedTrailerError", "The request contained trailing data that was not well-formed or did not conform to our published schema.");
            if (name.Equals("x-amz-trailer-signature", StringComparison.OrdinalIgnoreCase))
            {
                signature.VerifyTrailer(trailer.ToString(), value.Trim());
                continue;
            }
            trailer.Append(CultureInfo.InvariantCulture, $"{name.ToLowerInvariant()}:{value.Trim()}\n");
            if (name.StartsWith("x-amz-checksum-", StringComparison.OrdinalIgnoreCase) && _sums.ContainsKey(name["x-amz-checksum-".Length..].ToLowerInvariant()))
                _told[name["x-amz-checksum-".Length..].ToLowerInvariant()] = value.Trim();
        }
    }

    private static async Task<string> LineAsync(PipeReader pipe, CancellationToken cancellationToken)
    {
        while (true)
        {
            var read = await pipe.ReadAsync(cancellationToken);
            if (read.Buffer.PositionOf((byte)'\n') is { } end)
            {
                var line = Encoding.ASCII.GetString(read.Buffer.Slice(0, end)).TrimEnd('\r');
                pipe.AdvanceTo(read.Buffer.GetPosition(1, end));
                return line;
            }
            pipe.AdvanceTo(read.Buffer.Start, read.Buffer.End);
            // The last line of a trailer may have no end.
            if (read.IsCompleted)
                return read.Buffer.Length == 0 ? "" : throw new S3Error(400, "IncompleteBody", "The request body terminated unexpectedly");
        }
    }

    private static async Task<byte[]> ExactlyAsync(PipeReader pipe, int size, CancellationToken cancellationToken)
    {
        if (size == 0)
            return [];
        var read = await pipe.ReadAtLeastAsync(size, cancellationToken);
        if (read.Buffer.Length < size)
            throw new S3Error(400, "IncompleteBody", "The request body terminated unexpectedly");
        var bytes = read.Buffer.Slice(0, size).ToArray();
        pipe.AdvanceTo(read.Buffer.GetPosition(size));
        return bytes;
    }

    private void Append(ReadOnlySpan<byte> bytes)
    {
        Content.Append(bytes);
        _md5.Append(bytes);
        _sha256?.Append(bytes);
        foreach (var sum in _sums.Values)
            sum.Append(bytes);
    }

    private void Verify(S3Request request, SignatureV4 signature)
    {
        if (request.Header("x-amz-decoded-content-length") is { } promised && promised != Content.Length.ToString(CultureInfo.InvariantCulture))
            throw new S3Error(400, "IncompleteBody", "You did not provide the number of bytes specified by the Content-Length HTTP header");
        if (_sha256 is not null && Convert.ToHexStringLower(_sha256.Finish()) is var hash && hash != signature.Payload)
            throw new S3Error(400, "XAmzContentSHA256Mismatch", "The provided 'x-amz-content-sha256' header does not match what was computed.");
        var md5 = _md5.Finish();
        if (request.Header("Content-MD5") is { } said)
        {
            if (said.Length != 24)
                throw new S3Error(400, "InvalidDigest", "The Content-MD5 you specified was invalid.");
            if (said != Convert.ToBase64String(md5))
                throw new S3Error(400, "BadDigest", "The Content-MD5 you specified did not match what we received.");
        }
        foreach (var (algorithm, sum) in _sums)
        {
            if (_told.GetValueOrDefault(algorithm) is not { } told)
                throw new S3Error(400, "MalformedTrailerError", "A checksum was announced and did not come.");
            if (told != sum.Value)
                throw new S3Error(400, "BadDigest", $"The {algorithm.ToUpperInvariant()} you specified did not match the calculated checksum.");
        }
        Md5 = Convert.ToHexStringLower(md5);
    }
}
