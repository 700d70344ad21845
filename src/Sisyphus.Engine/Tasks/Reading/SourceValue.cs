using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Sisyphus.Engine.Tasks.Reading;

/// <summary>A JSON value that knows where it stands.</summary>
internal sealed class SourceValue(SourceValue? parent, string? name, int index, JsonValueKind kind, int start)
{
    internal JsonValueKind Kind { get; } = kind;
    /// <summary>Offset of its first byte.</summary>
    internal int Start { get; } = start;
    /// <summary>Offset after its last byte.</summary>
    internal int End { get; set; }
    /// <summary>Content of a string, digits of a number.</summary>
    internal string Text { get; init; } = "";
    internal IReadOnlyList<SourceValue> Items { get; set; } = [];
    internal IReadOnlyList<SourceMember> Members { get; set; } = [];

    /// <summary>JSON path (RFC 9535) from the root of the text.</summary>
    internal string Path
    {
        get
        {
            var path = new StringBuilder();
            AppendPath(path);
            return path.ToString();
        }
    }

    /// <summary>The value in words: <c>a string</c>, <c>null</c>.</summary>
    internal string Description => Kind switch
    {
        JsonValueKind.String => "a string",
        JsonValueKind.Number => "a number",
        JsonValueKind.Object => "an object",
        JsonValueKind.Array => "an array",
        JsonValueKind.True => "true",
        JsonValueKind.False => "false",
        _ => "null",
    };

    private void AppendPath(StringBuilder path)
    {
        if (parent is null)
            path.Append('$');
        else
            parent.AppendPath(path);
        if (name is not null)
            AppendName(path, name);
        else if (index >= 0)
            path.Append('[').Append(index).Append(']');
    }

    private static void AppendName(StringBuilder path, string name)
    {
        if (name.Length > 0 && !char.IsAsciiDigit(name[0]) && name.All(c => char.IsAsciiLetterOrDigit(c) || c == '_'))
            path.Append('.').Append(name);
        else
            AppendQuoted(path, name);
    }

    /// <summary>As a normalised path quotes it (RFC 9535, section 2.7), so that a path stays on one line. Of a URL without its query, which is often a signature and no matter for messages.</summary>
    private static void AppendQuoted(StringBuilder path, string name)
    {
        path.Append("['");
        var query = name.StartsWith("http", StringComparison.OrdinalIgnoreCase) && name.Contains("://", StringComparison.Ordinal) ? name.IndexOf('?', StringComparison.Ordinal) : -1;
        foreach (var character in query < 0 ? name : name[..query] + "?…")
        {
            switch (character)
            {
                case '\\' or '\'': path.Append('\\').Append(character); break;
                case '\n': path.Append("\\n"); break;
                case '\r': path.Append("\\r"); break;
                case '\t': path.Append("\\t"); break;
                case < ' ': path.Append("\\u").Append(((int)character).ToString("x4", CultureInfo.InvariantCulture)); break;
                default: path.Append(character); break;
            }
        }
        path.Append("']");
    }
}

/// <param name="NameStart">Offset of the quote before the name.</param>
internal readonly record struct SourceMember(string Name, int NameStart, SourceValue Value);
