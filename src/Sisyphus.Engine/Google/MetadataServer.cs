using Google.Apis.Auth.OAuth2;
using Google.Apis.Http;

namespace Sisyphus.Engine.Google;

/// <summary>The server inside Google Cloud that knows the machine's own service account.</summary>
/// <remarks>https://cloud.google.com/compute/docs/metadata/overview; <c>GCE_METADATA_HOST</c> names another one.</remarks>
internal sealed class MetadataServer(string host)
{
    public const string DefaultHost = "169.254.169.254";

    // Inside Google Cloud it answers within milliseconds, rarely only at the second try; elsewhere the address may swallow everything.
    private const int Tries = 3;
    private static readonly TimeSpan TryLimit = TimeSpan.FromSeconds(1);

    private const string Flavor = "Metadata-Flavor";

    private Uri Address { get; } = new($"http://{host}/");

    /// <summary>Whether it is there: after three seconds at the latest.</summary>
    public async Task<bool> IsThereAsync(CancellationToken cancellationToken)
    {
        for (var attempt = 0; attempt < Tries; attempt++)
        {
            try
            {
                using var answer = await AskAsync("", cancellationToken).ConfigureAwait(false);
                // Other clouds have a server at the same address.
                return answer.Headers.TryGetValues(Flavor, out var flavors) && flavors.Contains("Google");
            }
            catch (HttpRequestException)
            {
                return false;
            }
            catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
            {
                // Silent so far.
            }
        }
        return false;
    }

    /// <summary>The machine's project; null where the server does not tell.</summary>
    public async Task<string?> ProjectAsync(CancellationToken cancellationToken)
    {
        try
        {
            using var answer = await AskAsync("computeMetadata/v1/project/project-id", cancellationToken).ConfigureAwait(false);
            return answer.IsSuccessStatusCode ? (await answer.Content.ReadAsStringAsync(cancellationToken).ConfigureAwait(false)).Trim() : null;
        }
        catch (Exception silent) when (silent is HttpRequestException or OperationCanceledException && !cancellationToken.IsCancellationRequested)
        {
            return null;
        }
    }

    public GoogleCredential Credential() => GoogleCredential.FromComputeCredential(new(
        new ComputeCredential.Initializer(new Uri(Address, "computeMetadata/v1/instance/service-accounts/default/token").ToString()) { HttpClientFactory = new Direct() }));

    private async Task<HttpResponseMessage> AskAsync(string path, CancellationToken cancellationToken)
    {
        using var client = new HttpClient(new SocketsHttpHandler { UseProxy = false }) { Timeout = TryLimit };
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(Address, path));
        request.Headers.Add(Flavor, "Google");
        return await client.SendAsync(request, cancellationToken).ConfigureAwait(false);
    }

    // The address is the machine's own: no proxy knows it.
    private sealed class Direct : HttpClientFactory
    {
        protected override HttpClientHandler CreateClientHandler() => new() { UseProxy = false };
    }
}
