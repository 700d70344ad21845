using System.Text;
using System.Text.Json;
using System.Text.Unicode;

namespace Sisyphus.Engine.Tasks.Reading;

/// <summary>The text is not JSON, in words that say where and what to do.</summary>
internal static class JsonSyntax
{
    /// <summary>Levels of arrays and objects; a document needs five, and keys of newer versions may need more.</summary>
    internal const int MaxDepth = 64;

    /// <summary>The reader's own limit is above ours, so that the message is ours.</summary>
    internal static readonly JsonReaderOptions Options = new() { MaxDepth = MaxDepth + 2 };

    /// <summary>Moves on to the next token, which has to be there.</summary>
    internal static void Read(ref Utf8JsonReader reader)
    {
        reader.Read();
        if (reader.TokenType is JsonTokenType.StartArray or JsonTokenType.StartObject && reader.CurrentDepth >= MaxDepth)
            throw new JsonSyntaxException((int)reader.TokenStartIndex, $"arrays and objects are nested deeper than {MaxDepth} levels");
    }

    internal static string GetString(ref Utf8JsonReader reader)
    {
        try
        {
            return reader.GetString()!;
        }
        catch (InvalidOperationException)
        {
            throw new JsonSyntaxException((int)reader.TokenStartIndex, "a \\u escape in this string is half of a surrogate pair, so the string is not Unicode");
        }
    }

    /// <summary>What is wrong with the encoding, before any token is looked at.</summary>
    internal static JsonSyntaxException? CheckEncoding(ReadOnlySpan<byte> bytes)
    {
        if (bytes.StartsWith<byte>([0xFF, 0xFE]) || bytes.StartsWith<byte>([0xFE, 0xFF]))
            return new JsonSyntaxException(0, "the text is UTF-16: save it as UTF-8");
        if (bytes.Trim(" \t\r\n"u8).IsEmpty)
            return new JsonSyntaxException(0, "the text is empty: a task document is a JSON object, or an array of them");
        if (Utf8.IsValid(bytes))
            return null;
        var offset = 0;
        while (Rune.DecodeFromUtf8(bytes[offset..], out _, out var length) == System.Buffers.OperationStatus.Done)
            offset += length;
        return new JsonSyntaxException(offset, "the text is not valid UTF-8 here: save it as UTF-8");
    }

    internal static JsonSyntaxException Explain(JsonException exception, SourceText text)
    {
        var offset = text.OffsetOf(exception.LineNumber ?? 0, exception.BytePositionInLine ?? 0);
        var bytes = text.Bytes.Span;
        var rest = bytes[offset..];
        if (rest.Trim(" \t\r\n"u8).IsEmpty)
            return new JsonSyntaxException(offset, "the text ends in the middle of a value: a quote, bracket or brace is not closed");
        var message = (char)rest[0] switch
        {
            '/' or '#' => "comments are not part of JSON: take it out",
            '\'' => "strings and keys stand in double quotes, not single ones",
            '}' or ']' when bytes[..offset].TrimEnd(" \t\r\n"u8) is [.., (byte)','] => "a comma before a closing bracket or brace is not allowed in JSON: take it out",
            < ' ' => "a control character in a string must be escaped: write \\n for a new line and \\t for a tab",
            '"' => "a comma or a colon is missing before this quote",
            _ => $"this is not JSON: \"{Encoding.UTF8.GetString(rest[..Length(rest)])}\" cannot stand here",
        };
        return new JsonSyntaxException(offset, message);
    }

    /// <summary>Bytes of the word or character at the start.</summary>
    private static int Length(ReadOnlySpan<byte> rest)
    {
        const int longest = 20;
        var word = 0;
        while (word < Math.Min(rest.Length, longest) && char.IsAsciiLetterOrDigit((char)rest[word]))
            word++;
        if (word > 0)
            return word;
        Rune.DecodeFromUtf8(rest, out _, out var length);
        return length;
    }
}

/// <summary>Ends the reading of a text that is not JSON.</summary>
internal sealed class JsonSyntaxException(int offset, string message) : Exception(message)
{
    internal int Offset { get; } = offset;
}
