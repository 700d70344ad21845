using System.Buffers;
using System.Collections.Concurrent;
using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace Sisyphus.Tests.StoreEmulator.Google;

/// <summary>Uploads: as media, of two parts, and in a session (https://cloud.google.com/storage/docs/performing-resumable-uploads).</summary>
internal sealed partial class GoogleUploads(GoogleEmulatorOptions options)
{
    private const int ChunkUnit = 256 * 1024;

    private readonly ConcurrentDictionary<string, GoogleUpload> _sessions = [];

    public int Count => _sessions.Values.Count(upload => upload.Done is null);

    public void Expire() => _sessions.Clear();

    public static void RequireName(string? name)
    {
        if (string.IsNullOrEmpty(name))
            throw new GoogleError(400, "required", "Required");
        if (Encoding.UTF8.GetByteCount(name) > 1024 || name is "." or ".." || name.AsSpan().ContainsAny('\r', '\n') || name.StartsWith(".well-known/acme-challenge/", StringComparison.Ordinal))
            throw GoogleError.Invalid("Disallowed unicode characters present in object name, or it is too long.");
    }

    public async Task StartAsync(GoogleRequest request, GoogleBucket bucket, Uri address)
    {
        switch (request.Query("uploadType"))
        {
            case "media":
                RequireName(request.Query("name"));
                var media = new GoogleUpload(bucket, request.Query("name")!, Json.Parse([]), Conditions.Of(request), options.ChecksSums) { ContentType = request.Context.Request.ContentType ?? "application/octet-stream" };
                await AppendAsync(request, media, long.MaxValue);
                await Json.SendAsync(request, media.Finish(request.Header("X-Goog-Hash")).ToJson(address));
                break;
            case "multipart":
                var (metadata, content, type) = await SplitAsync(request);
                var name = Json.Text(metadata, "name") ?? request.Query("name");
                RequireName(name);
                var whole = new GoogleUpload(bucket, name!, metadata, Conditions.Of(request), options.ChecksSums) { ContentType = type };
                whole.Append(content.Span);
                await Json.SendAsync(request, whole.Finish(request.Header("X-Goog-Hash")).ToJson(address));
                break;
            case "resumable":
                await BeginAsync(request, bucket, address);
                break;
            default:
                throw GoogleError.Invalid("uploadType is media, multipart or resumable.");
        }
    }

    public async Task ContinueAsync(GoogleRequest request, Uri address)
    {
        var id = request.Query("upload_id")!;
        if (!_sessions.TryGetValue(id, out var upload))
            throw new GoogleError(404, "notFound", "Upload session not found.");
        if (request.Method == "DELETE")
        {
            _sessions.TryRemove(id, out _);
            request.Context.Response.StatusCode = 499;
            return;
        }
        if (upload.Done is { } done)
        {
            await Json.SendAsync(request, done.ToJson(address));
            return;
        }
        var total = await ReceiveAsync(request, upload);
        if (total == upload.Length)
        {
            await Json.SendAsync(request, upload.Finish(request.Header("X-Goog-Hash")).ToJson(address));
            return;
        }
        request.Context.Response.StatusCode = 308;
        if (upload.Length > 0)
            request.Context.Response.Headers.Range = FormattableString.Invariant($"bytes=0-{upload.Length - 1}");
    }

    private async Task BeginAsync(GoogleRequest request, GoogleBucket bucket, Uri address)
    {
        var metadata = await Json.ReadAsync(request);
        var name = request.Query("name") ?? Json.Text(metadata, "name");
        RequireName(name);
        var conditions = Conditions.Of(request);
        conditions.Check(bucket.Find(name!));
        var id = Guid.NewGuid().ToString("N");
        _sessions[id] = new GoogleUpload(bucket, name!, metadata, conditions, options.ChecksSums, options.KeepsMd5) { ContentType = request.Header("X-Upload-Content-Type") ?? "application/octet-stream" };
        request.Context.Response.Headers.Location = $"{address}upload/storage/v1/b/{Uri.EscapeDataString(bucket.Name)}/o?uploadType=resumable&name={Uri.EscapeDataString(name!)}&upload_id={id}";
        request.Context.Response.Headers["X-GUploader-UploadID"] = id;
    }

    /// <returns>The size of the whole, where the client says it.</returns>
    private async Task<long?> ReceiveAsync(GoogleRequest request, GoogleUpload upload)
    {
        // Without a range the rest comes at once.
        if (request.Header("Content-Range") is not { } header)
        {
            await AppendAsync(request, upload, long.MaxValue);
            return upload.Length;
        }
        var match = Range().Match(header);
        if (!match.Success)
            throw GoogleError.Invalid("Failed to parse Content-Range header.");
        long? total = match.Groups["total"].Value == "*" ? null : Number(match, "total");
        if (match.Groups["question"].Success)
            return total;
        var first = Number(match, "first");
        if (match.Groups["last"].Value == "*")
        {
            RequireNext(first, upload);
            await AppendAsync(request, upload, long.MaxValue);
            return upload.Length;
        }
        var last = Number(match, "last");
        var length = last - first + 1;
        if (last < first || last >= total || (request.Context.Request.ContentLength is { } announced && announced != length))
            throw GoogleError.Invalid("Invalid Content-Range for the content's length.");
        RequireNext(first, upload);
        var isLast = last + 1 == total;
        if (!isLast && length % ChunkUnit != 0)
            throw GoogleError.Invalid("Invalid request. The number of bytes uploaded is required to be equal or greater than 262144, except for the final request.");
        await AppendAsync(request, upload, Math.Min(length, options.KeptOfChunk));
        return isLast && upload.Length == total ? total : null;
    }

    private static void RequireNext(long first, GoogleUpload upload)
    {
        // Without bytes, to say so before any is read.
        upload.Append(first, []);
    }

    private static async Task AppendAsync(GoogleRequest request, GoogleUpload upload, long most)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(ChunkUnit);
        try
        {
            var (begin, kept) = (upload.Length, 0L);
            int count;
            // Whole units only: what a broken connection brought in part is not kept.
            while ((count = await request.Context.Request.Body.ReadAtLeastAsync(buffer.AsMemory(0, ChunkUnit), ChunkUnit, throwOnEndOfStream: false)) > 0)
            {
                var take = (int)Math.Min(count, most - kept);
                upload.Append(begin + kept, buffer.AsSpan(0, take));
                kept += take;
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    // Some clients put the boundary into single quotes and end lines without a carriage return.
    private static async Task<(System.Text.Json.JsonElement Metadata, ReadOnlyMemory<byte> Content, string ContentType)> SplitAsync(GoogleRequest request)
    {
        var boundary = Boundary().Match(request.Context.Request.ContentType ?? "").Groups["boundary"].Value.Trim('"', '\'');
        if (boundary.Length == 0)
            throw GoogleError.Invalid("The content type has no boundary.");
        using var body = new MemoryStream();
        await request.Context.Request.Body.CopyToAsync(body);
        var bytes = body.GetBuffer().AsMemory(0, (int)body.Length);
        var mark = Encoding.ASCII.GetBytes("--" + boundary);
        var first = bytes.Span.IndexOf(mark) + mark.Length;
        var second = first + bytes.Span[first..].IndexOf(mark);
        var end = bytes.Span.LastIndexOf(mark);
        if (first < mark.Length || second < first || end <= second)
            throw GoogleError.Invalid("Malformed multipart body.");
        // As the client ends its lines: a content may end with any byte.
        var line = bytes.Span[first] == '\r' ? "\r\n" : "\n";
        var (_, json) = Part(bytes[first..second], line);
        var (headers, content) = Part(bytes[(second + mark.Length)..end], line);
        return (Json.Parse(json.Span), content, ContentTypeHeader().Match(headers).Groups["type"].Value.Trim() is { Length: > 0 } type ? type : "application/octet-stream");
    }

    private static (string Headers, ReadOnlyMemory<byte> Content) Part(ReadOnlyMemory<byte> part, string line)
    {
        var at = part.Span.IndexOf(Encoding.ASCII.GetBytes(line + line)) + (2 * line.Length);
        if (at < 2 * line.Length || part.Length < at + line.Length)
            throw GoogleError.Invalid("Malformed multipart body.");
        return (Encoding.UTF8.GetString(part.Span[..at]), part[at..^line.Length]);
    }

    private static long Number(Match match, string group) => long.Parse(match.Groups[group].Value, CultureInfo.InvariantCulture);

    [GeneratedRegex(@"\Abytes (?:(?<question>\*)|(?<first>\d+)-(?<last>\*|\d+))/(?<total>\*|\d+)\z")]
    private static partial Regex Range();

    [GeneratedRegex("boundary=(?<boundary>\"[^\"]+\"|'[^']+'|[^;\\s]+)")]
    private static partial Regex Boundary();

    [GeneratedRegex(@"^content-type:(?<type>[^\r\n]+)", RegexOptions.IgnoreCase | RegexOptions.Multiline)]
    private static partial Regex ContentTypeHeader();
}
