using System.Management.Automation;
using System.Text;

namespace Sisyphus.Host;

/// <summary>Lines of delimited text (RFC 4180) from and to objects.</summary>
internal static class CsvText
{
    public static string Line(IEnumerable<object?> values, char delimiter, bool quoteAlways) => string.Join(delimiter, values.Select(v => Field(v, delimiter, quoteAlways)));

    /// <summary>The records of a text; a quoted field may hold line ends.</summary>
    public static IEnumerable<string[]> Records(TextReader reader, char delimiter)
    {
        var fields = new List<string>();
        var field = new StringBuilder();
        var quoted = false;
        var any = false;
        int next;
        while ((next = reader.Read()) >= 0)
        {
            var c = (char)next;
            if (quoted)
            {
                if (c != '"')
                    field.Append(c);
                else if (reader.Peek() == '"')
                    field.Append((char)reader.Read());
                else
                    quoted = false;
            }
            else if (c == '"' && field.Length == 0)
            {
                (quoted, any) = (true, true);
            }
            else if (c == delimiter)
            {
                End();
                any = true;
            }
            else if (c is '\r' or '\n')
            {
                if (c == '\r' && reader.Peek() == '\n')
                    reader.Read();
                if (any || field.Length > 0)
                    yield return Take();
            }
            else
            {
                field.Append(c);
            }
        }

        if (any || field.Length > 0)
            yield return Take();

        void End()
        {
            fields.Add(field.ToString());
            field.Clear();
        }

        string[] Take()
        {
            End();
            var record = fields.ToArray();
            fields.Clear();
            any = false;
            return record;
        }
    }

    public static IEnumerable<PSObject> Objects(TextReader reader, char delimiter, string[]? header)
    {
        foreach (var record in Records(reader, delimiter))
        {
            if (header is null)
            {
                // The type line that Windows PowerShell writes first.
                if (!record[0].StartsWith("#TYPE ", StringComparison.Ordinal))
                    header = record;
                continue;
            }

            var row = new PSObject();
            for (var i = 0; i < header.Length; i++)
                row.Properties.Add(new PSNoteProperty(header[i], i < record.Length ? record[i] : null));
            yield return row;
        }
    }

    private static string Field(object? value, char delimiter, bool quoteAlways)
    {
        if (value is null)
            return "";
        var text = LanguagePrimitives.ConvertTo<string>(value);
        return quoteAlways || text.AsSpan().ContainsAny("\"\r\n") || text.Contains(delimiter, StringComparison.Ordinal)
            ? $"\"{text.Replace("\"", "\"\"", StringComparison.Ordinal)}\""
            : text;
    }
}
