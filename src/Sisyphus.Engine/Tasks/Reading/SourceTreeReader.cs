using System.Text.Json;

namespace Sisyphus.Engine.Tasks.Reading;

/// <summary>Makes a tree of <see cref="SourceValue"/>s out of tokens. Names given twice are errors at every level; the first stays.</summary>
internal sealed class SourceTreeReader(ReadContext context, int limit)
{
    private int _end = int.MaxValue;

    /// <summary>Reads the value whose first token is the current one.</summary>
    /// <returns>Null when it is longer than the limit; the reader then stands after it all the same.</returns>
    internal SourceValue? ReadRoot(ref Utf8JsonReader reader, int index)
    {
        var start = (int)reader.TokenStartIndex;
        _end = start + limit;
        var depth = reader.CurrentDepth;
        try
        {
            return Read(ref reader, null, null, index);
        }
        catch (TooLongException)
        {
            while (reader.CurrentDepth > depth)
                JsonSyntax.Read(ref reader);
            return null;
        }
    }

    private SourceValue Read(ref Utf8JsonReader reader, SourceValue? parent, string? name, int index)
    {
        var start = (int)reader.TokenStartIndex;
        var value = reader.TokenType switch
        {
            JsonTokenType.StartObject => ReadObject(ref reader, new SourceValue(parent, name, index, JsonValueKind.Object, start)),
            JsonTokenType.StartArray => ReadArray(ref reader, new SourceValue(parent, name, index, JsonValueKind.Array, start)),
            JsonTokenType.String => new SourceValue(parent, name, index, JsonValueKind.String, start) { Text = JsonSyntax.GetString(ref reader) },
            JsonTokenType.Number => new SourceValue(parent, name, index, JsonValueKind.Number, start) { Text = System.Text.Encoding.ASCII.GetString(reader.ValueSpan) },
            JsonTokenType.True => new SourceValue(parent, name, index, JsonValueKind.True, start),
            JsonTokenType.False => new SourceValue(parent, name, index, JsonValueKind.False, start),
            _ => new SourceValue(parent, name, index, JsonValueKind.Null, start),
        };
        value.End = (int)reader.BytesConsumed;
        return value.End <= _end ? value : throw new TooLongException();
    }

    private SourceValue ReadObject(ref Utf8JsonReader reader, SourceValue value)
    {
        var members = new List<SourceMember>();
        HashSet<string>? names = null;
        for (JsonSyntax.Read(ref reader); reader.TokenType != JsonTokenType.EndObject; JsonSyntax.Read(ref reader))
        {
            var nameStart = (int)reader.TokenStartIndex;
            var name = JsonSyntax.GetString(ref reader);
            JsonSyntax.Read(ref reader);
            var member = new SourceMember(name, nameStart, Read(ref reader, value, name, -1));
            if (IsNew(name, members, ref names))
                members.Add(member);
            else
                context.Error(member, $"the key \"{name}\" is given twice");
        }
        value.Members = members;
        return value;
    }

    private SourceValue ReadArray(ref Utf8JsonReader reader, SourceValue value)
    {
        var items = new List<SourceValue>();
        for (JsonSyntax.Read(ref reader); reader.TokenType != JsonTokenType.EndArray; JsonSyntax.Read(ref reader))
            items.Add(Read(ref reader, value, null, items.Count));
        value.Items = items;
        return value;
    }

    private static bool IsNew(string name, List<SourceMember> members, ref HashSet<string>? names)
    {
        const int few = 16;
        if (members.Count < few)
            return !members.Exists(member => member.Name == name);
        names ??= members.Select(member => member.Name).ToHashSet(StringComparer.Ordinal);
        return names.Add(name);
    }

    /// <summary>Only leaves <see cref="Read"/>: the document is longer than the limit.</summary>
    private sealed class TooLongException : Exception;
}
