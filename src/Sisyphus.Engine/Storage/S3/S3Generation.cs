namespace Sisyphus.Engine.Storage.S3;

/// <summary>What pins an object: its ETag and, where the bucket keeps versions and the service tells which, the version. A listing tells none.</summary>
/// <param name="ETag">Without the quotes.</param>
internal readonly record struct S3Generation(string ETag, string? Version)
{
    // No ETag has one: they are hexadecimal digits, with a hyphen and a number.
    private const char Separator = '@';

    /// <summary>As headers write it.</summary>
    public string QuotedETag => $"\"{ETag}\"";

    public static S3Generation Parse(string text)
    {
        var at = text.IndexOf(Separator, StringComparison.Ordinal);
        return at < 0 ? new S3Generation(text, null) : new S3Generation(text[..at], text[(at + 1)..]);
    }

    /// <param name="version">"null" where versions are not kept any more.</param>
    public static S3Generation Of(string? etag, string? version) => new((etag ?? "").Trim('"'), version is null or "" or "null" ? null : version);

    public override string ToString() => Version is null ? ETag : $"{ETag}{Separator}{Version}";
}
