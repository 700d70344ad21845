using Azure.Storage.Blobs;

using Sisyphus.Tests.Stores.Azure;
using Sisyphus.Tests.StoreEmulator.Faults;

namespace Sisyphus.Tests.Integration.Nodes.Stores;

/// <summary>Over Microsoft's emulator, which faults stand before.</summary>
internal sealed class AzureService(BlobServiceClient service, ForwardingServer traffic) : ServiceStore
{
    public override string Location => $"az:{Azurite.Account}?endpoint={new Uri(traffic.Address, Azurite.Account)}";

    public override IReadOnlyDictionary<string, string> Environment { get; } = new Dictionary<string, string> { ["AZURE_STORAGE_KEY"] = Azurite.Key };

    /// <summary>What an earlier test left there is gone.</summary>
    public static async Task<ServiceStore> StartAsync(Azurite server)
    {
        foreach (var name in (string[])[In, Out])
        {
            var container = server.Service.GetBlobContainerClient(name);
            await container.CreateIfNotExistsAsync();
            await foreach (var blob in container.GetBlobsAsync())
                await container.DeleteBlobAsync(blob.Name);
        }

        return new AzureService(server.Service, await AzureTraffic.StartAsync(server));
    }

    public override void Put(string bucket, string key, ReadOnlySpan<byte> content) =>
        service.GetBlobContainerClient(bucket).GetBlobClient(key).Upload(BinaryData.FromBytes(content.ToArray()), overwrite: true);

    public override IReadOnlyDictionary<string, byte[]> Contents(string bucket)
    {
        var container = service.GetBlobContainerClient(bucket);
        return container.GetBlobs().ToDictionary(blob => blob.Name, blob => container.GetBlobClient(blob.Name).DownloadContent().Value.Content.ToArray());
    }

    public override int Count(StoreStep step) => traffic.Count(Operation(step));

    public override Fault Inject(StoreStep step, FaultKind kind, int times, int skip, TimeSpan? lasts, int? retryAfter)
    {
        var fault = FaultOf(step, Operation(step), kind, times, skip, lasts, retryAfter);
        traffic.Inject(fault);
        return fault;
    }

    public override ValueTask DisposeAsync() => traffic.DisposeAsync();

    private static string Operation(StoreStep step) => step switch
    {
        StoreStep.Fetch => "GetBlob",
        StoreStep.StageChunk => "PutBlock",
        StoreStep.Promote => "CopyBlobFromUrl",
        StoreStep.Any => Fault.Any,
        _ => "PutBlob",
    };
}
