using System.Collections;
using System.Globalization;
using System.Management.Automation;
using Newtonsoft.Json;
using Newtonsoft.Json.Linq;

namespace Sisyphus.Host;

/// <summary>Between PowerShell's objects and JSON, with the library and the settings of pwsh, so that dates and numbers come out the same.</summary>
internal static class JsonValues
{
    public static object? Parse(string text, bool asHashtable, int depth, bool noEnumerate, out bool enumerate)
    {
        using var reader = new JsonTextReader(new StringReader(text)) { MaxDepth = depth, DateParseHandling = DateParseHandling.DateTime };
        var token = JToken.ReadFrom(reader, new JsonLoadSettings { DuplicatePropertyNameHandling = DuplicatePropertyNameHandling.Replace });
        while (reader.Read())
        {
            if (reader.TokenType != JsonToken.Comment)
                throw new JsonReaderException($"Additional text encountered after finished reading JSON content: {reader.Value}.");
        }

        enumerate = token is JArray && !noEnumerate;
        return ToObject(token, asHashtable);
    }

    private static object? ToObject(JToken token, bool asHashtable)
    {
        switch (token)
        {
            case JArray array:
                return array.Select(item => ToObject(item, asHashtable)).ToArray();
            case JObject obj when asHashtable:
                var table = new OrderedHashtable();
                foreach (var property in obj.Properties())
                    table.Add(property.Name, ToObject(property.Value, asHashtable));
                return table;
            case JObject obj:
                var result = new PSObject();
                foreach (var property in obj.Properties())
                {
                    if (property.Name.Length == 0)
                        throw new InvalidOperationException("The provided JSON includes a property whose name is an empty string; this is only supported using the -AsHashTable switch.");
                    if (result.Properties[property.Name] is not null)
                        throw new InvalidOperationException($"The JSON string contains keys that differ only in casing: '{property.Name}'. Use the -AsHashTable switch instead.");
                    result.Properties.Add(new PSNoteProperty(property.Name, ToObject(property.Value, asHashtable)));
                }

                return result;
            case JValue value:
                return value.Value;
            default:
                return null;
        }
    }

    public static JToken ToToken(object? value, int depth, bool enumsAsStrings, Action truncated)
    {
        var wrapped = value as PSObject;
        var inner = wrapped is null ? value : wrapped.BaseObject;
        switch (inner)
        {
            case null or DBNull:
                return JValue.CreateNull();
            case string or bool or DateTime or DateTimeOffset or Guid or Uri or byte or sbyte or short or ushort or int or uint or long or ulong or float or double or decimal:
                return new JValue(inner);
            case char c:
                return new JValue(c.ToString());
            case System.Numerics.BigInteger big:
                return new JRaw(big.ToString(CultureInfo.InvariantCulture));
            case Enum when enumsAsStrings:
                return new JValue(inner.ToString());
            case Enum e:
                return new JValue(Convert.ToInt64(e, CultureInfo.InvariantCulture));
            case JToken token:
                return token;
        }

        if (depth < 0)
        {
            truncated();
            return new JValue(LanguagePrimitives.ConvertTo<string>(value));
        }

        return inner switch
        {
            IDictionary table => Object(table.Cast<DictionaryEntry>().Select(e => (e.Key.ToString()!, e.Value)), depth, enumsAsStrings, truncated),
            IEnumerable list => new JArray(list.Cast<object?>().Select(item => ToToken(item, depth - 1, enumsAsStrings, truncated))),
            _ => Object(PSObject.AsPSObject(value!).Properties.Where(p => p.IsGettable && p.MemberType != PSMemberTypes.ParameterizedProperty).Select(p => (p.Name, Read(p))), depth, enumsAsStrings, truncated),
        };
    }

    private static JObject Object(IEnumerable<(string Name, object? Value)> members, int depth, bool enumsAsStrings, Action truncated)
    {
        var result = new JObject();
        foreach (var (name, value) in members)
            result[name] = ToToken(value, depth - 1, enumsAsStrings, truncated);
        return result;
    }

    private static object? Read(PSPropertyInfo property)
    {
        try
        {
            return property.Value;
        }
        catch (GetValueException)
        {
            // A property that cannot be read, such as the exit code of a running process, is null in pwsh too.
            return null;
        }
    }
}
