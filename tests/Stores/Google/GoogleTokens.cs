using Sisyphus.Engine.Google;
using Sisyphus.Tests.Unit.Google;

namespace Sisyphus.Tests.Stores.Google;

/// <summary>Credentials of a metadata server of this process: <c>token-1</c>, <c>token-2</c> and so on, each time that one is asked for.</summary>
internal sealed class GoogleTokens : IDisposable
{
    private readonly TokenServer _server = new();

    public GoogleTokens()
    {
        var given = 0;
        _server.Answer = request => request.Url.AbsolutePath switch
        {
            var path when path.EndsWith("/token", StringComparison.Ordinal) => (200, $$"""{"access_token":"token-{{Interlocked.Increment(ref given)}}","expires_in":3600,"token_type":"Bearer"}"""),
            var path when path.EndsWith("/project-id", StringComparison.Ordinal) => (200, "machine-project"),
            _ => (200, ""),
        };
        Credentials = new GoogleCredentials(new GoogleSurroundings(Variable, Path.Combine(Path.GetTempPath(), Guid.NewGuid().ToString("N")), Windows: false), TimeProvider.System);
    }

    public GoogleCredentials Credentials { get; }

    /// <summary>The project that the credentials' owner wants to be billed.</summary>
    public string? QuotaProject { get; init; }

    public int Given => _server.Seen.Count(request => request.Url.AbsolutePath.EndsWith("/token", StringComparison.Ordinal));

    public void Dispose()
    {
        Credentials.Dispose();
        _server.Dispose();
    }

    private string? Variable(string name) => name switch
    {
        "GCE_METADATA_HOST" => _server.Address,
        "GOOGLE_CLOUD_QUOTA_PROJECT" => QuotaProject,
        _ => null,
    };
}
