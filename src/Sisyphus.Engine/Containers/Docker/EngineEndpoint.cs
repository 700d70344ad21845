namespace Sisyphus.Engine.Containers.Docker;

/// <summary>Where an engine listens.</summary>
/// <param name="Uri"><c>unix:</c>, <c>npipe:</c>, <c>tcp:</c>, <c>http:</c> or <c>https:</c>.</param>
/// <param name="Tls">Null for a plain connection.</param>
/// <param name="Origin">What named it, for messages: <c>DOCKER_HOST</c>, <c>context "lab"</c>, <c>default</c>.</param>
internal sealed record EngineEndpoint(Uri Uri, EngineTls? Tls, string Origin)
{
    /// <summary>The address without user name and password.</summary>
    public string Display { get; } = Uri.Scheme is "unix" or "npipe"
        ? Uri.OriginalString
        : Uri.GetComponents(UriComponents.AbsoluteUri & ~UriComponents.UserInfo, UriFormat.UriEscaped).TrimEnd('/');

    public override string ToString() => $"{Display} ({Origin})";
}

/// <param name="Directory">Holds <c>ca.pem</c>, <c>cert.pem</c> and <c>key.pem</c>, each optional; null for the system's roots and no client certificate.</param>
/// <param name="Verify">False accepts any server certificate, as the docker CLI does when asked to.</param>
internal sealed record EngineTls(string? Directory, bool Verify);
