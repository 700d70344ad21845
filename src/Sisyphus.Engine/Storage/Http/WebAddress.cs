using System.Globalization;
using System.Text;

namespace Sisyphus.Engine.Storage.Http;

/// <summary>Addresses of the web, byte for byte as they were written.</summary>
internal static class WebAddress
{
    // Uri would decode %41 and take "%2E%2E/" for a folder above, and a signature would not fit any more.
    private static readonly UriCreationOptions Untouched = new() { DangerousDisablePathAndQueryCanonicalization = true };

    /// <param name="rest">Path without the leading <c>/</c>, and query.</param>
    public static Uri Of(string scheme, string authority, string rest) => new($"{scheme}://{authority}/{Encode(rest)}", in Untouched);

    /// <summary>Where a redirection leads.</summary>
    /// <returns>Null for nothing that can be followed.</returns>
    public static Uri? Redirected(Uri from, string location)
    {
        var target = Encode(location.Split('#')[0]);
        if (target.StartsWith("//", StringComparison.Ordinal))
            target = $"{from.Scheme}:{target}";
        else if (target.StartsWith('/'))
            target = $"{from.Scheme}://{from.Authority}{target}";
        // Only here may it be looked into: "../x" has to be made of two.
        else if (!target.Contains("://", StringComparison.Ordinal))
            return Uri.TryCreate(from, target, out var relative) && IsWeb(relative) ? relative : null;
        return Uri.TryCreate(target, in Untouched, out var address) && IsWeb(address) ? address : null;
    }

    private static bool IsWeb(Uri address) => address is { Scheme: "http" or "https", UserInfo.Length: 0 };

    /// <summary>For messages: without the query, which is often a signature.</summary>
    public static string Show(Uri address) => $"{address.Scheme}://{address.Authority}{address.AbsolutePath}";

    /// <summary>Encodes what can't stand in a URL (RFC 3986, section 2), and nothing that can.</summary>
    private static string Encode(string text)
    {
        var encoded = new StringBuilder(text.Length);
        for (var i = 0; i < text.Length; i++)
        {
            var character = text[i];
            if (character == '%' ? IsEscape(text, i) : char.IsAsciiLetterOrDigit(character) || "-._~:/?#[]@!$&'()*+,;=".Contains(character, StringComparison.Ordinal))
            {
                encoded.Append(character);
                continue;
            }
            var length = char.IsHighSurrogate(character) && i + 1 < text.Length ? 2 : 1;
            foreach (var value in Encoding.UTF8.GetBytes(text.Substring(i, length)))
                encoded.Append(CultureInfo.InvariantCulture, $"%{value:X2}");
            i += length - 1;
        }
        return encoded.ToString();
    }

    private static bool IsEscape(string text, int at) => at + 2 < text.Length && char.IsAsciiHexDigit(text[at + 1]) && char.IsAsciiHexDigit(text[at + 2]);
}
