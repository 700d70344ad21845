using System.Buffers;
using System.Text.Json;
using Sisyphus.Engine.Tasks.Writing;

namespace Sisyphus.Engine.Tasks;

/// <summary>Writes documents in their shortest form; what it writes reads back as an equal document.</summary>
/// <remarks>Shortest: no key whose value is the default, the short form for one command, a string for an input or output that needs no object.
/// Keys come in the order of the reference, text other than ASCII as it is.</remarks>
public static class TaskDocumentWriter
{
    /// <summary>UTF-8 JSON without a byte order mark.</summary>
    public static byte[] Write(TaskDocument document, bool indented = false)
    {
        ArgumentNullException.ThrowIfNull(document);
        return ToUtf8(writer => DocumentWriter.Write(writer, document), indented);
    }

    /// <summary>An array of documents, as <see cref="TaskDocumentReader.ReadAll"/> reads it.</summary>
    public static byte[] Write(IEnumerable<TaskDocument> documents, bool indented = false)
    {
        ArgumentNullException.ThrowIfNull(documents);
        return ToUtf8(
            writer =>
            {
                writer.WriteStartArray();
                foreach (var document in documents)
                    DocumentWriter.Write(writer, document);
                writer.WriteEndArray();
            },
            indented);
    }

    internal static byte[] ToUtf8(Action<Utf8JsonWriter> write, bool indented = false)
    {
        var options = new JsonWriterOptions { Encoder = PlainJsonEncoder.Instance, Indented = indented, NewLine = "\n" };
        var buffer = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(buffer, options))
            write(writer);
        return buffer.WrittenSpan.ToArray();
    }
}
