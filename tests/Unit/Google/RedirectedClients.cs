using Google.Apis.Http;

namespace Sisyphus.Tests.Unit.Google;

/// <summary>Sends what is meant for Google to the local server: a user's login has no address of its own in its file.</summary>
internal sealed class RedirectedClients(string address) : HttpClientFactory
{
    public Uri? Wanted { get; private set; }

    protected override HttpMessageHandler CreateHandler(CreateHttpClientArgs args) => new Redirect(this, address, base.CreateHandler(args));

    private sealed class Redirect(RedirectedClients owner, string address, HttpMessageHandler inner) : DelegatingHandler(inner)
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            owner.Wanted = request.RequestUri;
            request.RequestUri = new($"http://{address}{request.RequestUri!.PathAndQuery}");
            return base.SendAsync(request, cancellationToken);
        }
    }
}
