namespace Sisyphus.Engine.Storage;

/// <summary><c>file://</c> URLs (RFC 8089) and the absolute paths that they name.</summary>
internal static class FileLocation
{
    private const string Scheme = "file://";

    public static bool IsFileUrl(string text) => text.StartsWith("file:", StringComparison.OrdinalIgnoreCase);

    /// <summary>The URL of an absolute path.</summary>
    public static string ToText(string path)
    {
        var slashed = OperatingSystem.IsWindows() ? path.Replace('\\', '/') : path;
        var escaped = string.Join('/', slashed.Split('/').Select(segment => Uri.EscapeDataString(segment).Replace("%3A", ":", StringComparison.Ordinal)));
        return Scheme + (escaped.StartsWith('/') ? "" : "/") + escaped;
    }

    /// <summary>The normalised absolute path of a URL.</summary>
    /// <exception cref="FormatException">Not a URL of a local file.</exception>
    public static string ToPath(string url)
    {
        if (!url.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase))
            throw new FormatException($"'{url}' is no file URL: it begins with file:/// and an absolute path.");
        var rest = url[Scheme.Length..];
        const string LocalHost = "localhost/";
        if (rest.StartsWith(LocalHost, StringComparison.OrdinalIgnoreCase))
            rest = rest[(LocalHost.Length - 1)..];
        if (!rest.StartsWith('/'))
            throw new FormatException($"'{url}' names a host. A file URL names a path of this machine: file:///{rest}");
        if (rest.AsSpan().ContainsAny('?', '#'))
            throw new FormatException($"'{url}' has a '?' or '#', which end the path of a URL; write %3F or %23.");
        var path = Uri.UnescapeDataString(rest);
        if (OperatingSystem.IsWindows() && path.Length >= 3 && char.IsAsciiLetter(path[1]) && path[2] == ':')
            path = path[1..];
        return Normalize(path, url);
    }

    /// <exception cref="FormatException"/>
    public static string Normalize(string path, string written)
    {
        if (path.Contains('\0', StringComparison.Ordinal) || !Path.IsPathFullyQualified(path))
            throw new FormatException($"'{written}' is no absolute path.");
        return Path.TrimEndingDirectorySeparator(Path.GetFullPath(path));
    }
}
