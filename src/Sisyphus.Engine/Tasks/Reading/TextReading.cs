using System.Text.Json;

namespace Sisyphus.Engine.Tasks.Reading;

/// <summary>One pass over a text. Documents of an array are read one at a time, so that memory follows the largest, not the number.</summary>
internal sealed class TextReading
{
    private readonly SourceText _text;
    private readonly ReadContext _context;
    private readonly SourceTreeReader _tree;
    private readonly Dictionary<string, int> _ids = new(StringComparer.Ordinal);

    internal TextReading(ReadOnlyMemory<byte> json, bool lenient)
    {
        _text = new SourceText(json.Span.StartsWith(ByteOrderMark) ? json[ByteOrderMark.Length..] : json);
        _context = new ReadContext(_text, lenient);
        _tree = new SourceTreeReader(_context, Limits.MaxDocumentBytes);
    }

    internal IReadOnlyList<string> Warnings => _context.Warnings;

    private static ReadOnlySpan<byte> ByteOrderMark => [0xEF, 0xBB, 0xBF];

    /// <summary>One document or an array of them.</summary>
    internal IReadOnlyList<TaskDocumentReading> ReadAll() => Read(arrayAllowed: true);

    /// <summary>Exactly one document.</summary>
    internal TaskDocumentReading ReadOne() => Read(arrayAllowed: false)[0];

    private List<TaskDocumentReading> Read(bool arrayAllowed)
    {
        var readings = new List<TaskDocumentReading>();
        try
        {
            if (_text.Bytes.Length > Limits.MaxTextBytes)
                throw new JsonSyntaxException(0, $"the text is longer than {SizeText.Format(Limits.MaxTextBytes)}: split it");
            if (JsonSyntax.CheckEncoding(_text.Bytes.Span) is { } wrong)
                throw wrong;
            ReadDocuments(readings, arrayAllowed);
            return readings;
        }
        catch (JsonException exception)
        {
            return [Broken(readings, JsonSyntax.Explain(exception, _text))];
        }
        catch (JsonSyntaxException exception)
        {
            return [Broken(readings, exception)];
        }
    }

    private void ReadDocuments(List<TaskDocumentReading> readings, bool arrayAllowed)
    {
        var reader = new Utf8JsonReader(_text.Bytes.Span, JsonSyntax.Options);
        JsonSyntax.Read(ref reader);
        if (reader.TokenType == JsonTokenType.StartArray && arrayAllowed)
        {
            for (JsonSyntax.Read(ref reader); reader.TokenType != JsonTokenType.EndArray; JsonSyntax.Read(ref reader))
            {
                if (readings.Count == Limits.MaxDocuments)
                    throw new JsonSyntaxException((int)reader.TokenStartIndex, $"the array has more than {Limits.MaxDocuments} documents: split it");
                readings.Add(ReadDocument(ref reader, readings.Count, inArray: true));
            }
        }
        else
        {
            readings.Add(ReadDocument(ref reader, 0, inArray: false));
        }
        ReadEnd(ref reader);
    }

    private void ReadEnd(ref Utf8JsonReader reader)
    {
        try
        {
            // Throws where something follows the value.
            reader.Read();
        }
        catch (JsonException exception)
        {
            var offset = _text.OffsetOf(exception.LineNumber ?? 0, exception.BytePositionInLine ?? 0);
            throw new JsonSyntaxException(offset, "something follows the end: several documents stand in an array, [{…}, {…}]");
        }
    }

    private TaskDocumentReading ReadDocument(ref Utf8JsonReader reader, int index, bool inArray)
    {
        var before = _context.ErrorCount;
        var start = (int)reader.TokenStartIndex;
        var document = new TaskDocument { Image = "", Commands = [] };
        if (_tree.ReadRoot(ref reader, inArray ? index : -1) is not { } root)
        {
            _context.Error(start, $"the document is longer than {SizeText.Format(Limits.MaxDocumentBytes)}");
        }
        else
        {
            document = DocumentReader.Read(_context, root);
            if (document.Id is { } id && !_ids.TryAdd(id, index))
                _context.Error(root.Members.First(member => member.Name == "id").Value, $"the id \"{id}\" is already that of document {_ids[id]} of this array");
        }
        return new TaskDocumentReading(index, _context.ErrorCount == before ? document : null, _context.TakeErrors());
    }

    /// <summary>A text that is not JSON has no documents, whatever stood before the place where it breaks.</summary>
    private TaskDocumentReading Broken(List<TaskDocumentReading> readings, JsonSyntaxException exception)
    {
        _context.Error(exception.Offset, exception.Message);
        return new TaskDocumentReading(0, null, [.. readings.SelectMany(reading => reading.Errors), .. _context.TakeErrors()]);
    }
}
