using System.Globalization;
using System.Net;
using Sisyphus.Engine.Tasks;

namespace Sisyphus.Engine.Storage.Http;

/// <summary>What the headers of an answer say of the whole file (RFC 9110, section 8).</summary>
/// <param name="Size">Bytes; null where it is not said.</param>
/// <param name="Tag">The strong ETag, with its quotes; null where there is none.</param>
/// <param name="HasRanges">The server says, or has shown, that it sends parts.</param>
internal sealed record HttpFacts(long? Size, string? Tag, DateTimeOffset? Modified, bool HasRanges)
{
    // What a file is called that is packed in its own right, and that some servers therefore send with Content-Encoding: the bytes are those of the file.
    private static readonly (string Encoding, string[] Suffixes)[] Packings =
        [("gzip", [".gz", ".tgz", ".svgz"]), ("x-gzip", [".gz", ".tgz", ".svgz"]), ("compress", [".z"]), ("x-compress", [".z"]), ("bzip2", [".bz2"]), ("x-bzip2", [".bz2"]), ("br", [".br"]), ("zstd", [".zst"]), ("xz", [".xz"])];

    /// <exception cref="TaskFailureException">The server packs what it was asked not to pack.</exception>
    public static HttpFacts Of(HttpResponseMessage answer, Uri address, string action)
    {
        var content = answer.Content.Headers;
        RefusePacked(content.ContentEncoding, address, action);
        var isPart = answer.StatusCode is HttpStatusCode.PartialContent or HttpStatusCode.RequestedRangeNotSatisfiable;
        return new HttpFacts(
            isPart ? content.ContentRange?.Length : content.ContentLength,
            answer.Headers.ETag is { IsWeak: false, Tag: { Length: > 2 } tag } ? tag : null,
            content.LastModified,
            answer.StatusCode == HttpStatusCode.PartialContent || answer.Headers.AcceptRanges.Contains("bytes"));
    }

    /// <summary>The ETag, else time and size, else the one that says nothing.</summary>
    public string Generation => Tag ?? (Modified is { } time && Size is { } size ? FormattableString.Invariant($"{time.UtcDateTime:yyyy-MM-ddTHH:mm:ssZ}/{size}") : ObjectInfo.UnknownGeneration);

    /// <summary>Whether an answer with these facts comes from the generation that was looked at before.</summary>
    /// <param name="isWhole">The answer has all of the content: then a server that has nothing more to say of it is believed.</param>
    public bool Continue(ObjectInfo info, bool isWhole)
    {
        if (Size is { } size && info.Size != ObjectInfo.UnknownSize && size != info.Size)
            return false;
        if (info.Generation == ObjectInfo.UnknownGeneration)
            return true;
        if (info.Generation.StartsWith('"'))
            return Tag is null ? isWhole : Tag == info.Generation;
        return Modified is null ? isWhole : (this with { Tag = null, Size = Size ?? info.Size }).Generation == info.Generation;
    }

    private static void RefusePacked(ICollection<string> encodings, Uri address, string action)
    {
        var name = address.AbsolutePath;
        foreach (var encoding in encodings.Where(encoding => !encoding.Equals("identity", StringComparison.OrdinalIgnoreCase)))
        {
            if (!Packings.Any(packing => packing.Encoding.Equals(encoding, StringComparison.OrdinalIgnoreCase) && packing.Suffixes.Any(suffix => name.EndsWith(suffix, true, CultureInfo.InvariantCulture))))
                throw new TaskFailureException(FailureReason.TransferFailed, $"Can't {action}: the server sends it packed ({encoding}), though it was asked for the bytes as they are.") { IsRetryable = false };
        }
    }
}
