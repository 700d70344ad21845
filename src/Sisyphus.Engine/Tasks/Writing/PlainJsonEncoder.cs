using System.Buffers;
using System.Text;
using System.Text.Encodings.Web;

namespace Sisyphus.Engine.Tasks.Writing;

/// <summary>Escapes what JSON (RFC 8259, section 7) and clean text need, and no more.</summary>
/// <remarks><see cref="JavaScriptEncoder.UnsafeRelaxedJsonEscaping"/> also writes every character beyond U+FFFF as two \u escapes; "unsafe" it is only in a web page.</remarks>
internal sealed unsafe class PlainJsonEncoder : JavaScriptEncoder
{
    internal static readonly PlainJsonEncoder Instance = new();

    public override int MaxOutputCharactersPerInputCharacter => UnsafeRelaxedJsonEscaping.MaxOutputCharactersPerInputCharacter;

    public override bool WillEncode(int unicodeScalar) => unicodeScalar <= char.MaxValue && UnsafeRelaxedJsonEscaping.WillEncode(unicodeScalar);

    public override bool TryEncodeUnicodeScalar(int unicodeScalar, char* buffer, int bufferLength, out int numberOfCharactersWritten) =>
        UnsafeRelaxedJsonEscaping.TryEncodeUnicodeScalar(unicodeScalar, buffer, bufferLength, out numberOfCharactersWritten);

    public override int FindFirstCharacterToEncode(char* text, int textLength)
    {
        var rest = new ReadOnlySpan<char>(text, textLength);
        for (var i = 0; i < textLength;)
        {
            if (Rune.DecodeFromUtf16(rest[i..], out var rune, out var length) != OperationStatus.Done || WillEncode(rune.Value))
                return i;
            i += length;
        }
        return -1;
    }
}
