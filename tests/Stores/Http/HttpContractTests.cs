using System.Globalization;
using Sisyphus.Engine.Storage;
using Sisyphus.Tests.StoreEmulator.Web;
using Sisyphus.Tests.Unit.Storage;
using Xunit;

namespace Sisyphus.Tests.Stores.Http;

/// <summary>A server that tells one content from another by their ETag, or only by the second at which they were written.</summary>
public abstract class HttpContract : ObjectReadContract
{
    private WebServer _server = null!;
    private int _versions;

    private protected override IObjectStore Store => field ??= WebStores.Open();

    private protected override string Bucket => _server.Host;

    private protected override string NameOf(string key) => $"{_server.Address}{key}";

    private protected override async Task PrepareAsync() => _server = await WebServer.StartAsync();

    private protected override async Task<ObjectInfo> GiveAsync(string key, byte[] content)
    {
        _server.Files["/" + key] = Version(new WebFile(content), ++_versions);
        return (await Store.StatAsync(Bucket, key, Token))!;
    }

    private protected override Task TakeAwayAsync(string key)
    {
        Assert.True(_server.Files.TryRemove("/" + key, out _));
        return Task.CompletedTask;
    }

    private protected abstract WebFile Version(WebFile file, int number);

    public override async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        await _server.DisposeAsync();
        await base.DisposeAsync();
    }
}

public sealed class HttpTagsContractTests : HttpContract
{
    private protected override WebFile Version(WebFile file, int number) => file with { ETag = string.Create(CultureInfo.InvariantCulture, $"\"{number}\"") };
}

public sealed class HttpDatesContractTests : HttpContract
{
    private protected override WebFile Version(WebFile file, int number) => file with { Modified = DateTimeOffset.UnixEpoch.AddSeconds(number) };
}

public sealed class HttpWithoutRangesContractTests : HttpContract
{
    private protected override WebFile Version(WebFile file, int number) => file with { ETag = string.Create(CultureInfo.InvariantCulture, $"\"{number}\""), Ranges = false };
}
