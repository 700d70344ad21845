using System.Text.Json.Nodes;

namespace Sisyphus.Tests.StoreEmulator.Google;

/// <summary>What a request wants of its answer: <c>nextPageToken,items(name,size)</c> (https://cloud.google.com/storage/docs/json_api#partial-response).</summary>
internal sealed class Fields
{
    private readonly Dictionary<string, Fields> _names = new(StringComparer.Ordinal);

    public static Fields Parse(string text)
    {
        var at = 0;
        var fields = Parse(text, ref at);
        return at == text.Length ? fields : throw GoogleError.Invalid($"Invalid field selection {text}");
    }

    /// <summary>Takes away what was not asked for.</summary>
    public void Trim(JsonNode? node)
    {
        if (_names.Count == 0)
            return;
        if (node is JsonArray items)
        {
            foreach (var item in items)
                Trim(item);
        }
        if (node is not JsonObject resource)
            return;
        foreach (var (name, value) in resource.ToList())
        {
            if ((_names.GetValueOrDefault(name) ?? _names.GetValueOrDefault("*")) is { } wanted)
                wanted.Trim(value);
            else
                resource.Remove(name);
        }
    }

    private static Fields Parse(string text, ref int at)
    {
        var fields = new Fields();
        while (true)
        {
            fields.AddOne(text, ref at);
            if (at == text.Length || text[at] != ',')
                return fields;
            at++;
        }
    }

    private void AddOne(string text, ref int at)
    {
        var begin = at;
        while (at < text.Length && (char.IsAsciiLetterOrDigit(text[at]) || text[at] == '*'))
            at++;
        if (at == begin)
            throw GoogleError.Invalid($"Invalid field selection {text}");
        // items/name,items/size
        var name = text[begin..at];
        var inner = _names.GetValueOrDefault(name) ?? (_names[name] = new Fields());
        if (at == text.Length || text[at] is not ('(' or '/'))
            return;
        if (text[at++] == '/')
        {
            inner.AddOne(text, ref at);
            return;
        }
        foreach (var (part, fields) in Parse(text, ref at)._names)
            inner._names[part] = fields;
        if (at == text.Length || text[at++] != ')')
            throw GoogleError.Invalid($"Invalid field selection {text}");
    }
}
