using System.Globalization;
using System.Text;
using Microsoft.AspNetCore.Http.Features;

namespace Sisyphus.Tests.StoreEmulator.S3;

/// <summary>A request, read off its raw target: nothing has decoded or normalised it before.</summary>
internal sealed class S3Request
{
    private const int MaxKeyBytes = 1024;
    private static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);
    private readonly List<(string Name, string Value)> _query = [];

    public S3Request(HttpContext context, S3EmulatorOptions options)
    {
        Context = context;
        var target = context.Features.Get<IHttpRequestFeature>()!.RawTarget;
        var question = target.IndexOf('?', StringComparison.Ordinal);
        RawPath = question < 0 ? target : target[..question];
        foreach (var pair in question < 0 ? [] : target[(question + 1)..].Split('&', StringSplitOptions.RemoveEmptyEntries))
        {
            var equals = pair.IndexOf('=', StringComparison.Ordinal);
            // Of forms: a plus is a blank.
            _query.Add((Decode(equals < 0 ? pair : pair[..equals], true), equals < 0 ? "" : Decode(pair[(equals + 1)..], true)));
        }
        var host = context.Request.Host.Host;
        var path = RawPath.Length > 0 ? RawPath[1..] : "";
        if (host.EndsWith("." + options.HostSuffix, StringComparison.OrdinalIgnoreCase))
        {
            Bucket = host[..^(options.HostSuffix.Length + 1)];
            Key = Decode(path, false);
        }
        else
        {
            var slash = path.IndexOf('/', StringComparison.Ordinal);
            Bucket = Decode(slash < 0 ? path : path[..slash], false);
            Key = slash < 0 ? "" : Decode(path[(slash + 1)..], false);
        }
    }

    public HttpContext Context { get; }

    public string Method => Context.Request.Method;

    public string RawPath { get; }

    public string Bucket { get; }

    public string Key { get; }

    public IReadOnlyList<(string Name, string Value)> Query => _query;

    public IEnumerable<KeyValuePair<string, string>> Headers => Context.Request.Headers.Select(header => KeyValuePair.Create(header.Key.ToLowerInvariant(), header.Value.ToString()));

    public HttpResponse Answer => Context.Response;

    public CancellationToken Aborted => Context.RequestAborted;

    public string? Argument(string name) => _query.Where(pair => pair.Name == name).Select(pair => pair.Value).FirstOrDefault();

    public bool Has(string name) => Argument(name) is not null;

    public string? Header(string name) => Context.Request.Headers.TryGetValue(name, out var value) ? value.ToString() : null;

    /// <summary>As AWS names it.</summary>
    public string Operation => (Method, Key.Length > 0) switch
    {
        ("GET", true) => Has("uploadId") ? "ListParts" : "GetObject",
        ("HEAD", true) => "HeadObject",
        ("PUT", true) => (Has("uploadId"), Header("x-amz-copy-source") is not null) switch { (true, true) => "UploadPartCopy", (true, false) => "UploadPart", (false, true) => "CopyObject", _ => "PutObject" },
        ("POST", true) => Has("uploads") ? "CreateMultipartUpload" : "CompleteMultipartUpload",
        ("DELETE", true) => Has("uploadId") ? "AbortMultipartUpload" : "DeleteObject",
        ("GET", false) => Bucket.Length == 0 ? "ListBuckets" : "ListObjectsV2",
        _ => $"{Method} bucket",
    };

    /// <exception cref="S3Error">No name of an object.</exception>
    public void CheckKey()
    {
        if (Encoding.UTF8.GetByteCount(Key) > MaxKeyBytes)
            throw new S3Error(400, "KeyTooLongError", "Your key is too long");
        var depth = 0;
        foreach (var segment in Key.Split('/'))
        {
            depth += segment switch { ".." => -1, "" or "." => 0, _ => 1 };
            if (depth < 0)
                throw new S3Error(400, "InvalidURI", "Couldn't parse the specified URI.");
        }
    }

    /// <param name="form">A plus is a blank.</param>
    public static string Decode(string text, bool form)
    {
        var bytes = new List<byte>(text.Length);
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] == '%' && i + 2 < text.Length && byte.TryParse(text.AsSpan(i + 1, 2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var value))
            {
                bytes.Add(value);
                i += 2;
            }
            else
            {
                bytes.Add(form && text[i] == '+' ? (byte)' ' : (byte)text[i]);
            }
        }
        try
        {
            return StrictUtf8.GetString(bytes.ToArray());
        }
        catch (ArgumentException)
        {
            throw new S3Error(400, "InvalidURI", "Couldn't parse the specified URI.");
        }
    }
}
