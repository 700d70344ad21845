using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Specialized;

namespace Sisyphus.Engine.Storage.Azure;

/// <summary>One try at a request.</summary>
internal sealed class AzureCall(BlobServiceClient service, AzureLogin login, StallWatch stall) : IProgress<long>
{
    public BlobServiceClient Service => service;

    public AzureLogin Login => login;

    /// <summary>Canceled by the caller, or when nothing moves.</summary>
    public CancellationToken Token => stall.Token;

    /// <summary>The service has work to do before it answers, and may take so much longer.</summary>
    public void Allow(TimeSpan more) => stall.Allow(more);

    public BlobContainerClient Container(string name) => service.GetBlobContainerClient(name);

    public BlockBlobClient Blob(string container, string key) => Container(container).GetBlockBlobClient(key);

    /// <summary>Bytes of the request have gone.</summary>
    public void Report(long value) => stall.Moved();
}
