using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Sisyphus.Tests.StoreEmulator.Google;

/// <summary>Contents of requests and answers.</summary>
internal static class Json
{
    private static readonly JsonSerializerOptions Options = new() { DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Without the keys that have no value, and those that were not asked for.</summary>
    public static Task SendAsync(GoogleRequest request, Dictionary<string, object?> resource)
    {
        var answer = JsonSerializer.SerializeToNode(resource.Where(entry => entry.Value is not null).ToDictionary(), Options);
        if (request.Query("fields") is { Length: > 0 } fields)
            Fields.Parse(fields).Trim(answer);
        return request.Context.Response.WriteAsJsonAsync(answer, Options);
    }

    public static async Task<JsonElement> ReadAsync(GoogleRequest request)
    {
        using var body = new MemoryStream();
        await request.Context.Request.Body.CopyToAsync(body);
        return Parse(body.ToArray());
    }

    public static JsonElement Parse(ReadOnlySpan<byte> json)
    {
        if (json.Length == 0)
            return JsonSerializer.SerializeToElement(new { });
        try
        {
            return JsonSerializer.Deserialize<JsonElement>(json);
        }
        catch (JsonException)
        {
            throw new GoogleError(400, "parseError", "Parse Error");
        }
    }

    public static string? Text(JsonElement element, string name) => element.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    public static IReadOnlyDictionary<string, string> Metadata(JsonElement element, IReadOnlyDictionary<string, string> otherwise) =>
        element.TryGetProperty("metadata", out var metadata) && metadata.ValueKind == JsonValueKind.Object
            ? metadata.EnumerateObject().ToDictionary(entry => entry.Name, entry => entry.Value.GetString() ?? "")
            : otherwise;
}
