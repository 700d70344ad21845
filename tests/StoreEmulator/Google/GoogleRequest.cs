using Microsoft.AspNetCore.Http.Features;

namespace Sisyphus.Tests.StoreEmulator.Google;

/// <summary>A request by its raw target: the path as the framework has it is half decoded.</summary>
internal sealed class GoogleRequest
{
    private static readonly string[] Prefixes = ["/resumable/upload/storage/v1/", "/upload/storage/v1/", "/download/storage/v1/", "/storage/v1/"];

    private readonly Dictionary<string, string> _query = new(StringComparer.Ordinal);

    public GoogleRequest(HttpContext context)
    {
        Context = context;
        RawTarget = context.Features.Get<IHttpRequestFeature>()!.RawTarget;
        var question = RawTarget.IndexOf('?', StringComparison.Ordinal);
        var path = question < 0 ? RawTarget : RawTarget[..question];
        foreach (var part in question < 0 ? [] : RawTarget[(question + 1)..].Split('&', StringSplitOptions.RemoveEmptyEntries))
        {
            var equals = part.IndexOf('=', StringComparison.Ordinal);
            _query[DecodeQuery(equals < 0 ? part : part[..equals])] = equals < 0 ? "" : DecodeQuery(part[(equals + 1)..]);
        }
        var prefix = Prefixes.FirstOrDefault(prefix => path.StartsWith(prefix, StringComparison.Ordinal)) ?? throw new GoogleError(404, "notFound", "Not Found");
        IsUpload = prefix.Contains("upload", StringComparison.Ordinal);
        Segments = [.. path[prefix.Length..].Split('/').Select(Decode)];
    }

    public HttpContext Context { get; }

    public string RawTarget { get; }

    public string Method => Context.Request.Method;

    public bool IsUpload { get; }

    /// <summary>Decoded, behind <c>/storage/v1/</c>.</summary>
    public IReadOnlyList<string> Segments { get; }

    public string? Query(string name) => _query.GetValueOrDefault(name);

    public string? Header(string name) => Context.Request.Headers.TryGetValue(name, out var value) ? value.ToString() : null;

    /// <summary>What is asked for, in one word.</summary>
    public string Operation => (Method, Segments) switch
    {
        (_, _) when IsUpload => Query("uploadType") switch
        {
            _ when Query("upload_id") is not null => Method == "DELETE" ? "upload.cancel" : Header("Content-Range")?.StartsWith("bytes *", StringComparison.Ordinal) == true ? "upload.ask" : "upload.chunk",
            "resumable" => "upload.start",
            _ when Query("ifGenerationMatch") == "0" => "create",
            _ => "put",
        },
        ("GET", ["b"]) => "buckets",
        ("GET", ["b", _, "o"]) => "list",
        ("GET", ["b", _, "o", _]) => Query("alt") == "media" ? "get" : "stat",
        ("POST", ["b", _, "o", _, "rewriteTo" or "copyTo", ..]) => "copy",
        ("DELETE", ["b", _, "o", _]) => "delete",
        _ => "other",
    };

    private static string Decode(string text) => Uri.UnescapeDataString(text);

    // As in forms, where a plus is a blank.
    private static string DecodeQuery(string text) => Decode(text.Replace('+', ' '));
}
