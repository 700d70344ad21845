using System.Diagnostics.CodeAnalysis;
using Sisyphus.Engine.Tasks.Reading;

namespace Sisyphus.Engine.Tasks;

/// <summary>An object or, with a trailing <c>/</c>, a prefix in an object store: <c>bucket:key/of/object</c> or a URL (<c>gs</c>, <c>s3</c>, <c>az</c>, <c>https</c>, <c>http</c>, <c>file</c>).</summary>
/// <remarks>Keys are taken as they are written, as <c>gcloud storage</c> and <c>aws s3</c> do: nothing is percent-decoded.</remarks>
/// <param name="Scheme">Lower-case URL scheme, or null for <c>bucket:key</c>, which the session's store mapping resolves.</param>
/// <param name="Bucket">Bucket, container, host with an optional port (https, http) or empty (file).</param>
/// <param name="Key">Key without a leading <c>/</c> (with it for file; with the query for https and http); empty for a whole bucket as a prefix.</param>
public sealed record RemotePath(string? Scheme, string Bucket, string Key)
{
    /// <summary>Longest key, in bytes of UTF-8: the limit of GCS, S3 and Azure alike.</summary>
    public const int MaxKeyBytes = 1024;

    /// <summary>Names every object below it instead of one object.</summary>
    public bool IsPrefix => Key.Length == 0 || Key.EndsWith('/');

    /// <summary>One file of a web server.</summary>
    public bool IsWeb => Scheme is "https" or "http";

    /// <summary>Reads <c>bucket:key</c> or a URL.</summary>
    /// <exception cref="FormatException">The message says what is wrong and which form is right.</exception>
    public static RemotePath Parse(string text) => TryParse(text, out var path, out var error) ? path : throw new FormatException(error);

    /// <summary>As <see cref="Parse"/>, with the message in <paramref name="error"/>.</summary>
    public static bool TryParse(string? text, [NotNullWhen(true)] out RemotePath? path, [NotNullWhen(false)] out string? error)
    {
        error = RemotePathParser.Parse(text ?? "", out path);
        return error is null;
    }

    public RemotePath WithKey(string key) => this with { Key = key };

    /// <summary>The query of a web address is often a signature, which is as secret as a password: without it for messages, logs and records.</summary>
    public RemotePath WithoutQuery() => IsWeb ? WithKey(Key.Split('?')[0]) : this;

    /// <summary>As messages and records name it, <see cref="WithoutQuery"/>.</summary>
    public override string ToString() => WithoutQuery().Written;

    /// <summary>The whole path as a document writes it.</summary>
    public string Written => Scheme is null ? $"{Bucket}:{Key}" : $"{Scheme}://{Bucket}{(Scheme == "file" ? "" : "/")}{Key}";
}
