using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Sisyphus.PowerShell.Documents;

/// <summary>Writes PowerShell values as the JSON of a document, so that one reader checks every document wherever it comes from.</summary>
/// <remarks>Hashtable keys are case-insensitive to a PowerShell user: the document's own keys are written in camel case; keys that the user owns (remote paths, variables, tags) stay as they are.</remarks>
internal static class DocumentJson
{
    // Deeper than any document; a hashtable that contains itself ends here.
    private const int MaxDepth = 16;

    private static readonly JsonWriterOptions Options = new()
    {
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        // Duplicates and the like are the reader's to report.
        SkipValidation = true,
    };

    public static ReadOnlyMemory<byte> FromObject(object? value) => Write(writer => WriteValue(writer, value, ownKeys: true, MaxDepth));

    public static ReadOnlyMemory<byte> Write(Action<Utf8JsonWriter> write)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(buffer, Options))
            write(writer);
        return buffer.WrittenMemory;
    }

    /// <param name="ownKeys">The keys of this object are the document's, not the user's.</param>
    public static void WriteValue(Utf8JsonWriter writer, object? value, bool ownKeys, int depth = MaxDepth)
    {
        value = PowerShellValue.Unwrap(value);
        if (value is null || depth == 0)
            writer.WriteNullValue();
        else if (PowerShellValue.Entries(value) is { } entries)
            WriteObject(writer, entries, ownKeys, depth);
        else if (PowerShellValue.Elements(value) is { } elements)
            WriteArray(writer, elements, ownKeys, depth);
        else
            WriteScalar(writer, value);
    }

    private static void WriteObject(Utf8JsonWriter writer, IEnumerable<KeyValuePair<string, object?>> entries, bool ownKeys, int depth)
    {
        writer.WriteStartObject();
        foreach (var (key, value) in entries)
        {
            var name = ownKeys ? JsonNamingPolicy.CamelCase.ConvertName(key) : key;
            writer.WritePropertyName(name);
            WriteValue(writer, value, ownKeys: !(ownKeys && name is "inputs" or "outputs" or "env" or "tags"), depth - 1);
        }
        writer.WriteEndObject();
    }

    private static void WriteArray(Utf8JsonWriter writer, IEnumerable<object?> elements, bool ownKeys, int depth)
    {
        writer.WriteStartArray();
        foreach (var element in elements)
            WriteValue(writer, element, ownKeys, depth - 1);
        writer.WriteEndArray();
    }

    private static void WriteScalar(Utf8JsonWriter writer, object value)
    {
        switch (value)
        {
            case bool flag: writer.WriteBooleanValue(flag); break;
            case byte or sbyte or short or ushort or int or uint or long: writer.WriteNumberValue(Convert.ToInt64(value, null)); break;
            case ulong number: writer.WriteNumberValue(number); break;
            case decimal number: writer.WriteNumberValue(number); break;
            case float or double when double.IsFinite(Convert.ToDouble(value, null)): writer.WriteNumberValue(Convert.ToDouble(value, null)); break;
            case TimeSpan time: writer.WriteStringValue(System.Xml.XmlConvert.ToString(time)); break;
            default: writer.WriteStringValue(PowerShellValue.Text(value)); break;
        }
    }
}
