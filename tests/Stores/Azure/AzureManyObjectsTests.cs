using System.Diagnostics;
using Sisyphus.Tests.Unit.Storage;
using Xunit;

namespace Sisyphus.Tests.Stores.Azure;

/// <summary>With a server of their own: what it holds makes every other request of it slower.</summary>
public sealed class AzureManyObjectsTests(Azurite server, ITestOutputHelper report) : IClassFixture<Azurite>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    // One by one, since the service takes no more at once; three quarters of a minute of Azurite's one processor.
    [Fact]
    public async Task List_50000Objects_HasAllOfThem()
    {
        await server.Service.CreateBlobContainerAsync("many", cancellationToken: Token);
        var store = server.Open();
        var keys = Enumerable.Range(0, 50_000).Select(i => $"many/{i:D5}").ToList();
        var watch = Stopwatch.StartNew();
        await Parallel.ForEachAsync(keys, new ParallelOptions { MaxDegreeOfParallelism = 32, CancellationToken = Token }, async (key, _) => await store.PutAsync("many", key, ""));
        report.WriteLine($"put in {watch.Elapsed.TotalSeconds:0.0} s");
        watch.Restart();
        Assert.Equal(keys, await store.KeysAsync("many", "many/"));
        report.WriteLine($"listed in {watch.Elapsed.TotalSeconds:0.0} s");
    }
}
