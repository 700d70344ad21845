using Amazon.Runtime;

namespace Sisyphus.Engine.Storage.S3;

/// <summary>Gives the SDK the connections that all stores share: its own are limited in number and die with each client.</summary>
internal sealed class S3HttpClients(HttpClient client) : HttpClientFactory
{
    public override HttpClient CreateHttpClient(IClientConfig clientConfig) => client;

    public override bool UseSDKHttpClientCaching(IClientConfig clientConfig) => false;

    public override bool DisposeHttpClientsAfterUse(IClientConfig clientConfig) => false;
}
