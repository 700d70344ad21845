using Sisyphus.Engine.Storage;
using Sisyphus.Engine.Tasks;
using Xunit;

namespace Sisyphus.Tests.Unit.Storage;

public sealed class ObjectStoresTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("file:///srv/data", "file:///srv/data")]
    [InlineData("file:///srv/data/", "file:///srv/data")]
    [InlineData("FILE:///srv/data", "file:///srv/data")]
    [InlineData("file://localhost/srv/data", "file:///srv/data")]
    [InlineData("/srv/data", "file:///srv/data")]
    [InlineData("/srv/a/../data", "file:///srv/data")]
    [InlineData("file:///srv/my%20data%25%23", "file:///srv/my%20data%25%23")]
    [InlineData("/srv/my data%#", "file:///srv/my%20data%25%23")]
    [InlineData("file:///srv/d%C3%A4ta", "file:///srv/d%C3%A4ta")]
    public void Open_LocationOfAFolder_IsThatFolder(string location, string name) => Assert.Equal(name, ObjectStores.Open(location).DefaultStore);

    [Theory]
    [InlineData("", "no location")]
    [InlineData("relative/path", "no location")]
    [InlineData("ftp://host/x", "no location")]
    [InlineData("file:relative", "file:///")]
    [InlineData("file://server/share", "names a host")]
    [InlineData("file:///a?b", "%3F")]
    [InlineData("file:///a#b", "%23")]
    [InlineData("file:///a%00b", "no absolute path")]
    public void Open_NoLocationThatIsKnown_SaysWhichThereAre(string location, string expected)
    {
        Assert.Contains(expected, Assert.Throws<FormatException>(() => ObjectStores.Open(location)).Message, StringComparison.Ordinal);
        Assert.Throws<FormatException>(() => ObjectStores.Open("/srv", new Dictionary<string, string> { ["b"] = location }));
    }

    [Theory, InlineData(""), InlineData("a:b"), InlineData("a/b")]
    public void Open_MappingOfANameThatIsNone_IsRefused(string bucket) =>
        Assert.Throws<FormatException>(() => ObjectStores.Open("/srv", new Dictionary<string, string> { [bucket] = "/x" }));

    [Theory]
    [InlineData("gs://lab/a?endpoint=http://127.0.0.1:1", "gs://lab/a/?endpoint=http://127.0.0.1:1")]
    [InlineData("s3://lab?endpoint=http://127.0.0.1:1", "s3://127.0.0.1:1/lab/")]
    [InlineData("az:account/lab?endpoint=http://127.0.0.1:1/account", "az://account/lab/?endpoint=http://127.0.0.1:1/account")]
    [InlineData("az:account/lab?sas=sig%3Dsecret", "az://account/lab/")]
    public void Mapping_BucketOfAService_SaysWhereItIs(string location, string name)
    {
        var stores = ObjectStores.Open("/srv", new Dictionary<string, string> { ["b"] = location });
        Assert.Equal(name, stores.Mapping["b"]);
    }

    [Fact]
    public async Task Resolve_MappedAndOtherBuckets_GoToTheirFolders()
    {
        var stores = ObjectStores.Open(_folder["root"], new Dictionary<string, string> { ["scratch"] = "file://" + _folder["elsewhere"] });
        foreach (var bucket in (string[])["scratch", "data"])
        {
            var location = stores.Resolve(new RemotePath(null, bucket, "a/b"));
            await location.Store.PutAsync(location.Bucket, location.Key, bucket);
        }
        Assert.Equal("scratch", await File.ReadAllTextAsync(_folder["elsewhere/a/b"], Token));
        Assert.Equal("data", await File.ReadAllTextAsync(_folder["root/data/a/b"], Token));
        Assert.Equal(["data", "scratch"], await stores.ListBucketsAsync(Token).ToListAsync(Token));
        Assert.Equal([new("scratch", "file://" + _folder["elsewhere"])], stores.Mapping);
    }

    [Theory, InlineData("gs", "gs://"), InlineData("s3", "s3://"), InlineData("az", "az://"), InlineData("https", "https://"), InlineData("http", "http://")]
    public void Resolve_UrlOfAService_IsThatService(string scheme, string name)
    {
        var location = ObjectStores.Open("/srv").Resolve(new RemotePath(scheme, "b", "k"));
        Assert.StartsWith(name, location.Store.Name, StringComparison.Ordinal);
        Assert.Equal(("b", "k"), (location.Bucket, location.Key));
    }

    [Fact]
    public void Resolve_UrlOfTheSessionsService_IsTheSessionsStore()
    {
        var stores = ObjectStores.Open("gs:?endpoint=http://127.0.0.1:1", new Dictionary<string, string> { ["x"] = "gs://y/z?endpoint=http://127.0.0.1:1" });
        Assert.Same(stores.Resolve(RemotePath.Parse("b:k")).Store, stores.Resolve(RemotePath.Parse("gs://b/k")).Store);
        Assert.Equal("gs://y/z/?endpoint=http://127.0.0.1:1", stores.Mapping["x"]);
    }

    [Theory]
    [InlineData("gs://bucket", "one bucket")]
    [InlineData("gs:?nonsense=1", "no option 'nonsense'")]
    [InlineData("gs:account", "no account")]
    [InlineData("gs:?endpoint=http://example.com", "https")]
    [InlineData("gs:?project=a&project=b", "twice")]
    [InlineData("gs:?directory-markers=maybe", "true or false")]
    public void Open_BadServiceLocation_SaysWhy(string location, string expected) =>
        Assert.Contains(expected, Assert.Throws<FormatException>(() => ObjectStores.Open(location)).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData("gs:", "names no bucket")]
    [InlineData("gs:///x", "names no bucket")]
    [InlineData("gs://b/../c", "'..'")]
    public void Open_BadMapping_SaysWhy(string location, string expected) =>
        Assert.Contains(expected, Assert.Throws<FormatException>(() => ObjectStores.Open("/srv", new Dictionary<string, string> { ["x"] = location })).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData("/data/x")]
    [InlineData("/database/x")]
    [InlineData("/data/open/../secret")]
    [InlineData("/data/open")]
    [InlineData("/data/opener/x")]
    [InlineData("relative")]
    [InlineData("")]
    public void Resolve_FileOutsideTheAllowedFolders_IsPolicyDenied(string path)
    {
        var stores = ObjectStores.Open("/srv");
        var remote = new RemotePath("file", "", path);
        Assert.Equal(FailureReason.PolicyDenied, Assert.Throws<TaskFailureException>(() => stores.Resolve(remote)).Reason);
        Assert.Equal(FailureReason.PolicyDenied, Assert.Throws<TaskFailureException>(() => stores.Resolve(remote, ["/data/open"])).Reason);
    }

    [Fact]
    public async Task Resolve_FileInAnAllowedFolder_IsThatFile()
    {
        var stores = ObjectStores.Open("/srv");
        var location = stores.Resolve(new RemotePath("file", "", _folder["data/in/a%20b"]), [_folder.Path, _folder["data"] + "/"]);
        await location.Store.PutAsync(location.Bucket, location.Key, "content");
        Assert.Equal("in/a%20b", location.Key);
        Assert.Equal("content", await File.ReadAllTextAsync(_folder["data/in/a%20b"], Token));
        var missing = await StoreAssertions.FailsAsync(FailureReason.InputMissing, () => location.Store.OpenReadAsync(new ObjectInfo("", "in/x", 1, "", null, default), 0, Token));
        Assert.Contains($"{location.Store.Name}/in/x", missing.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Resolve_LinkOutOfTheAllowedFolder_IsRefusedWhenUsed()
    {
        Directory.CreateDirectory(_folder["data"]);
        File.WriteAllText(_folder["secret"], "secret");
        File.CreateSymbolicLink(_folder["data/link"], _folder["secret"]);
        var location = ObjectStores.Open("/srv").Resolve(new RemotePath("file", "", _folder["data/link"]), [_folder["data"]]);
        await StoreAssertions.FailsAsync(FailureReason.InputDenied, () => location.Store.StatAsync(location.Bucket, location.Key, Token));
    }

    [Fact]
    public void PlaceOf_OneObjectByManyNames_IsOnePlace()
    {
        var stores = ObjectStores.Open("gs:", new Dictionary<string, string> { ["a"] = "gs://lab", ["b"] = "gs://lab", ["part"] = "gs://lab/out" });
        Assert.Single(Places("a:out/x", "b:out/x", "lab:out/x", "gs://lab/out/x", "part:x"));
        Assert.Equal(4, Places("a:x", "a:y", "part:x", "other:x").Count);

        HashSet<string> Places(params string[] paths) => [.. paths.Select(path =>
        {
            var (store, bucket, key) = stores.Resolve(RemotePath.Parse(path));
            return store.PlaceOf(bucket, key);
        })];
    }
}
