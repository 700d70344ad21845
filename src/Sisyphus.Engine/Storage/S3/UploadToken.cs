using System.Security.Cryptography;
using System.Text;

namespace Sisyphus.Engine.Storage.S3;

/// <summary>An upload in parts that was begun, in a form that can be kept.</summary>
/// <param name="FullObject">Its checksum is one of the whole.</param>
internal sealed record UploadToken(string Id, bool FullObject)
{
    private const char Separator = '|';

    /// <returns>Null where the text is not of an upload to this place.</returns>
    public static UploadToken? Parse(string? text, S3Target target)
    {
        var parts = text?.Split(Separator, 3) ?? [];
        return parts is [var place, var kind, { Length: > 0 } id] && place == Place(target) ? new UploadToken(id, kind == "f") : null;
    }

    public string ToText(S3Target target) => $"{Place(target)}{Separator}{(FullObject ? 'f' : 'p')}{Separator}{Id}";

    private static string Place(S3Target target) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(target.ToString())))[..16];
}
