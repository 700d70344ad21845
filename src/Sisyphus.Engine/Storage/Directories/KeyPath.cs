using System.Buffers;
using System.Globalization;
using System.Text;

namespace Sisyphus.Engine.Storage.Directories;

/// <summary>Between the key of an object and the path of its file below the bucket's folder, both ways and without loss.</summary>
/// <remarks>
/// A segment that the platform can hold as a name stays as it is, so that users can put files there with <c>cp</c>. Any other one is
/// percent-escaped, its first character always, so that only names that begin with <c>%</c> and two hexadecimal digits are ever read as
/// escaped (and plain segments of that look are escaped too). No segment contains a slash, which leaves <c>%2F</c> free for two things:
/// alone it is the empty segment; in front of text it is the first part of a segment that is too long for one name, the rest being the next name.
/// </remarks>
internal static class KeyPath
{
    /// <summary>The folder of each bucket that holds unfinished files. Never an object: a key of that name is escaped.</summary>
    public const string TemporaryFolder = ".sisyphus-tmp";

    private const int MaxNameBytes = 255;
    private const string SlashEscape = "%2F";
    private static readonly SearchValues<char> WindowsForbidden = SearchValues.Create("<>:\"|?*\\\u0001\u0002\u0003\u0004\u0005\u0006\u0007\b\t\n\u000B\f\r\u000E\u000F\u0010\u0011\u0012\u0013\u0014\u0015\u0016\u0017\u0018\u0019\u001A\u001B\u001C\u001D\u001E\u001F");

    /// <summary>The path for a key, its parts joined by <c>/</c>.</summary>
    public static string Encode(string key, bool windows)
    {
        var path = new StringBuilder(key.Length + 8);
        var first = true;
        foreach (var range in key.AsSpan().Split('/'))
        {
            if (!first)
                path.Append('/');
            AppendSegment(path, key.AsSpan()[range], windows, first);
            first = false;
        }
        return path.ToString();
    }

    /// <summary>What a file's or folder's name says of the key, whether or not <see cref="Encode"/> would have written it.</summary>
    /// <param name="continues">The folder holds the rest of the same segment.</param>
    /// <returns>The text, or null when the name is no valid escape.</returns>
    public static string? Decode(string name, out bool continues)
    {
        continues = false;
        if (!IsEscaped(name))
            return name;
        if (name == SlashEscape)
            return "";
        continues = name.StartsWith(SlashEscape, StringComparison.Ordinal);
        return Unescape(continues ? name.AsSpan(SlashEscape.Length) : name);
    }

    public static bool IsEscaped(ReadOnlySpan<char> name) =>
        name.Length >= 3 && name[0] == '%' && char.IsAsciiHexDigit(name[1]) && char.IsAsciiHexDigit(name[2]);

    private static void AppendSegment(StringBuilder path, ReadOnlySpan<char> segment, bool windows, bool first)
    {
        if (segment.IsEmpty)
        {
            path.Append(SlashEscape);
            return;
        }
        while (true)
        {
            if (!MustEscape(segment, windows, first))
            {
                if (Encoding.UTF8.GetByteCount(segment) <= MaxNameBytes)
                {
                    path.Append(segment);
                    return;
                }
            }
            else if (Escape(segment, windows, escapeFirst: true) is var escaped && Encoding.UTF8.GetByteCount(escaped) <= MaxNameBytes)
            {
                path.Append(escaped);
                return;
            }
            var taken = LengthOfPart(segment, windows);
            path.Append(SlashEscape).Append(Escape(segment[..taken], windows, escapeFirst: false)).Append('/');
            segment = segment[taken..];
            first = false;
        }
    }

    private static bool MustEscape(ReadOnlySpan<char> segment, bool windows, bool first) =>
        segment is "." or ".." || IsEscaped(segment)
        || (first && segment.Equals(TemporaryFolder, StringComparison.OrdinalIgnoreCase))
        || segment.Contains('\0')
        || (windows && (segment[^1] is '.' or ' ' || IsDeviceName(segment) || segment.ContainsAny(WindowsForbidden)));

    // The longest head of a segment that leaves something for the next name.
    private static int LengthOfPart(ReadOnlySpan<char> segment, bool windows)
    {
        var taken = 0;
        var bytes = SlashEscape.Length;
        foreach (var rune in segment.EnumerateRunes())
        {
            // On Windows a last dot or blank costs three bytes instead of one.
            bytes += IsForbidden(rune, windows, last: true) ? 3 : rune.Utf8SequenceLength;
            if (bytes > MaxNameBytes || taken + rune.Utf16SequenceLength == segment.Length)
                break;
            taken += rune.Utf16SequenceLength;
        }
        return taken;
    }

    private static string Escape(ReadOnlySpan<char> text, bool windows, bool escapeFirst)
    {
        var escaped = new StringBuilder(text.Length + 8);
        Span<byte> utf8 = stackalloc byte[4];
        Span<char> utf16 = stackalloc char[2];
        var position = 0;
        foreach (var rune in text.EnumerateRunes())
        {
            var isFirst = position == 0;
            position += rune.Utf16SequenceLength;
            if ((isFirst && escapeFirst) || IsForbidden(rune, windows, last: position == text.Length))
            {
                foreach (var b in utf8[..rune.EncodeToUtf8(utf8)])
                    escaped.Append('%').Append(b.ToString("X2", CultureInfo.InvariantCulture));
            }
            else
            {
                escaped.Append(utf16[..rune.EncodeToUtf16(utf16)]);
            }
        }
        return escaped.ToString();
    }

    private static bool IsForbidden(Rune rune, bool windows, bool last) =>
        rune.Value is '%' or 0
        || (windows && ((rune.IsAscii && WindowsForbidden.Contains((char)rune.Value)) || (last && rune.Value is '.' or ' ')));

    // https://learn.microsoft.com/windows/win32/fileio/naming-a-file#naming-conventions
    private static bool IsDeviceName(ReadOnlySpan<char> segment)
    {
        var dot = segment.IndexOf('.');
        var stem = (dot < 0 ? segment : segment[..dot]).TrimEnd(' ').ToString().ToUpperInvariant();
        return stem is "CON" or "PRN" or "AUX" or "NUL" or "CONIN$" or "CONOUT$"
            || (stem.Length == 4 && stem[..3] is "COM" or "LPT" && stem[3] is (>= '0' and <= '9') or '¹' or '²' or '³');
    }

    private static string? Unescape(ReadOnlySpan<char> name)
    {
        var bytes = new List<byte>(name.Length);
        Span<byte> utf8 = stackalloc byte[4];
        for (var rest = name; !rest.IsEmpty;)
        {
            if (rest[0] == '%')
            {
                if (!IsEscaped(rest))
                    return null;
                bytes.Add(byte.Parse(rest[1..3], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture));
                rest = rest[3..];
                continue;
            }
            if (Rune.DecodeFromUtf16(rest, out var rune, out var length) != OperationStatus.Done)
                return null;
            bytes.AddRange(utf8[..rune.EncodeToUtf8(utf8)]);
            rest = rest[length..];
        }
        // Bytes that are no UTF-8 become U+FFFD here, and the caller's comparison with Encode then fails.
        return Encoding.UTF8.GetString(bytes.ToArray());
    }
}
