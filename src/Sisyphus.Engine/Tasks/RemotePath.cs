namespace Sisyphus.Engine.Tasks;

/// <summary>An object or, with a trailing <c>/</c>, a prefix in an object store: <c>bucket:key/of/object</c> or a URL (<c>gs</c>, <c>s3</c>, <c>az</c>, <c>https</c>, <c>file</c>).</summary>
/// <param name="Scheme">Lower-case URL scheme, or null for <c>bucket:key</c>, which the session's store mapping resolves.</param>
/// <param name="Bucket">Bucket, container, host (https) or empty (file).</param>
/// <param name="Key">Key without a leading <c>/</c> (with it for file); empty for a whole bucket as a prefix.</param>
public sealed record RemotePath(string? Scheme, string Bucket, string Key)
{
    /// <summary>Names every object below it instead of one object.</summary>
    public bool IsPrefix => Key.Length == 0 || Key.EndsWith('/');

    public RemotePath WithKey(string key) => this with { Key = key };

    /// <summary>The path as a document writes it.</summary>
    public override string ToString() => Scheme is null ? $"{Bucket}:{Key}" : $"{Scheme}://{Bucket}{(Scheme == "file" ? "" : "/")}{Key}";
}
