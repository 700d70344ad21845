using System.Text;

namespace Sisyphus.Engine.Tasks.Reading;

/// <summary>The grammar of <see cref="RemotePath"/>.</summary>
internal static class RemotePathParser
{
    private const string Forms = "write \"bucket:key\" or a URL (gs, s3, az, https, file)";

    /// <summary>Null when <paramref name="path"/> was found, otherwise what is wrong.</summary>
    internal static string? Parse(string text, out RemotePath? path)
    {
        path = null;
        if (text.Length == 0)
            return $"the remote path is empty: {Forms}";
        if (text.Any(char.IsControl))
            return "a remote path may not contain control characters";
        if (LooksLikeWindowsPath(text))
            return $"\"{text}\" looks like a Windows path; a remote path is in an object store: {Forms}";
        if (text[0] == '/')
            return $"\"{text}\" has no bucket: {Forms}";
        var separator = text.IndexOf(':', StringComparison.Ordinal);
        if (separator <= 0)
            return $"\"{text}\" has no bucket: {Forms}";

        var error = text.AsSpan(separator).StartsWith("://")
            ? ParseUrl(text[..separator].ToLowerInvariant(), text[(separator + 3)..], out var parsed)
            : ParseBucketAndKey(text[..separator], text[(separator + 1)..], out parsed);
        error ??= CheckKey(parsed!);
        if (error is null)
            path = parsed;
        return error;
    }

    private static string? ParseBucketAndKey(string bucket, string key, out RemotePath? path)
    {
        path = new RemotePath(null, bucket, key);
        return CheckBucket(bucket)
            ?? (key.StartsWith('/') ? $"the key may not begin with \"/\": write \"{bucket}:{key.TrimStart('/')}\"" : null);
    }

    private static string? ParseUrl(string scheme, string rest, out RemotePath? path)
    {
        path = null;
        if (scheme == "file")
        {
            path = new RemotePath(scheme, "", rest);
            return rest.StartsWith('/') ? null : "a file URL has three slashes and no host: write \"file:///folder/name\"";
        }
        if (scheme is not ("gs" or "s3" or "az" or "https" or "http"))
            return $"the URL scheme \"{scheme}\" is unknown: use gs, s3, az, https, file or bucket:key";
        var slash = rest.IndexOf('/', StringComparison.Ordinal);
        var bucket = slash < 0 ? rest : rest[..slash];
        path = new RemotePath(scheme, bucket, slash < 0 ? "" : rest[(slash + 1)..]);
        return path.IsWeb ? CheckWeb(path)
            : CheckBucket(bucket) ?? (path.Key.StartsWith('/') ? "the key may not begin with \"/\"" : null);
    }

    private static string? CheckWeb(RemotePath path)
    {
        if (path.Bucket.Contains('@', StringComparison.Ordinal))
            return "a URL may not carry a user or a password: documents are no place for secrets";
        if (!Uri.TryCreate(path.Written, UriKind.Absolute, out var url) || url.Host.Length == 0)
            return $"not a valid {path.Scheme} URL: write \"{path.Scheme}://host/path\"";
        return url.Fragment.Length > 0 ? "a URL may not have a fragment (\"#…\"); write \"%23\" for a \"#\" in a name" : null;
    }

    private static string? CheckBucket(string bucket) => bucket switch
    {
        "" => $"the bucket is missing: {Forms}",
        "." or ".." => $"\"{bucket}\" is no bucket name",
        _ => bucket.AsSpan().ContainsAny('/', '\\') ? $"the bucket name \"{bucket}\" may not contain a slash: {Forms}" : null,
    };

    private static string? CheckKey(RemotePath path)
    {
        var key = path.WithoutQuery().Key;
        foreach (var range in key.AsSpan().Split('/'))
        {
            if (key.AsSpan(range) is "." or "..")
                return "a key may not have \".\" or \"..\" as a segment";
        }
        // A URL of the web may be longer than a key of a store: what is in its query is often a signature.
        return !path.IsWeb && Encoding.UTF8.GetByteCount(path.Key) > RemotePath.MaxKeyBytes
            ? $"the key is longer than {RemotePath.MaxKeyBytes} bytes"
            : null;
    }

    private static bool LooksLikeWindowsPath(string text) =>
        (char.IsAsciiLetter(text[0]) && text.AsSpan(1).StartsWith(@":\"))
        || text.StartsWith(@"\\", StringComparison.Ordinal);
}
