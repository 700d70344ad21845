using System.Text;

namespace Sisyphus.Host;

/// <summary>The names that <c>-Encoding</c> takes, and a code page by name or number.</summary>
internal static class TextEncodings
{
    public static readonly Encoding Default = new UTF8Encoding(encoderShouldEmitUTF8Identifier: false);

    public static Encoding Find(string name) => name.ToUpperInvariant() switch
    {
        "UTF8" or "UTF8NOBOM" or "DEFAULT" => Default,
        "UTF8BOM" => new UTF8Encoding(encoderShouldEmitUTF8Identifier: true),
        "ASCII" => Encoding.ASCII,
        "ANSI" or "OEM" or "LATIN1" => Encoding.Latin1,
        "UNICODE" or "UTF16" => Encoding.Unicode,
        "BIGENDIANUNICODE" => Encoding.BigEndianUnicode,
        "UTF32" => Encoding.UTF32,
        _ => int.TryParse(name, out var page) ? Encoding.GetEncoding(page) : Encoding.GetEncoding(name),
    };
}
