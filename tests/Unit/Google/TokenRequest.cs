using System.Collections.Specialized;
using System.Net;
using System.Text.Json;

namespace Sisyphus.Tests.Unit.Google;

internal sealed record TokenRequest(string Method, Uri Url, NameValueCollection Headers, string Body)
{
    /// <summary>A field of a form.</summary>
    public string? Form(string name) => Body.Split('&').Select(pair => pair.Split('=', 2)).Where(pair => pair[0] == name).Select(pair => WebUtility.UrlDecode(pair[1])).FirstOrDefault();

    public JsonElement Json() => JsonDocument.Parse(Body).RootElement;
}
