using System.Net;
using System.Net.NetworkInformation;
using Sisyphus.Engine.Storage;
using Sisyphus.Engine.Storage.Http;
using Sisyphus.Engine.Tasks;
using Xunit;

namespace Sisyphus.Tests.Unit.Storage.Http;

public sealed class HostGuardTests
{
    [Theory]
    [InlineData("169.254.169.254", NetworkPlaceKind.Forbidden)]
    [InlineData("169.254.170.2", NetworkPlaceKind.Forbidden)]
    [InlineData("fe80::1", NetworkPlaceKind.Forbidden)]
    [InlineData("fe80::1%1", NetworkPlaceKind.Forbidden)]
    [InlineData("febf::1", NetworkPlaceKind.Forbidden)]
    [InlineData("fd00:ec2::254", NetworkPlaceKind.Forbidden)]
    [InlineData("fd00:ec2::23", NetworkPlaceKind.Forbidden)]
    [InlineData("100.100.100.200", NetworkPlaceKind.Forbidden)]
    [InlineData("168.63.129.16", NetworkPlaceKind.Forbidden)]
    [InlineData("::ffff:169.254.169.254", NetworkPlaceKind.Forbidden)]
    [InlineData("64:ff9b::a9fe:a9fe", NetworkPlaceKind.Forbidden)]
    [InlineData("2002:a9fe:a9fe::", NetworkPlaceKind.Forbidden)]
    [InlineData("224.0.0.1", NetworkPlaceKind.Forbidden)]
    [InlineData("127.0.0.1", NetworkPlaceKind.ThisMachine)]
    [InlineData("127.8.9.1", NetworkPlaceKind.ThisMachine)]
    [InlineData("0.0.0.0", NetworkPlaceKind.ThisMachine)]
    [InlineData("::", NetworkPlaceKind.ThisMachine)]
    [InlineData("::1", NetworkPlaceKind.ThisMachine)]
    [InlineData("::ffff:127.0.0.1", NetworkPlaceKind.ThisMachine)]
    [InlineData("64:ff9b::7f00:1", NetworkPlaceKind.ThisMachine)]
    [InlineData("10.0.0.1", NetworkPlaceKind.Elsewhere)]
    [InlineData("169.253.1.1", NetworkPlaceKind.Elsewhere)]
    [InlineData("100.100.100.201", NetworkPlaceKind.Elsewhere)]
    [InlineData("93.184.216.34", NetworkPlaceKind.Elsewhere)]
    [InlineData("2606:2800:220:1::1", NetworkPlaceKind.Elsewhere)]
    public void Of_Address_IsItsPlace(string address, object expected) => Assert.Equal(expected, NetworkPlace.Of(IPAddress.Parse(address)));

    [Theory]
    [InlineData("https://example.org/x")]
    [InlineData("https://example.org:8443/x")]
    [InlineData("https://10.1.2.3/x")]
    public void Require_NoPatterns_AllowsOtherMachines(string url) => HostGuard.Of([]).Require(RemotePath.Parse(url));

    [Theory]
    [InlineData("https://169.254.169.254/latest/meta-data")]
    [InlineData("https://2852039166/latest")]
    [InlineData("https://0xa9fea9fe/latest")]
    [InlineData("https://[fe80::1]/x")]
    [InlineData("https://[::ffff:169.254.169.254]/x")]
    [InlineData("https://metadata.google.internal/computeMetadata/v1/")]
    [InlineData("https://METADATA.google.internal./x")]
    [InlineData("https://127.0.0.1/x")]
    [InlineData("https://127.1/x")]
    [InlineData("https://[::1]:8443/x")]
    [InlineData("https://0.0.0.0/x")]
    public void Require_NoPatterns_DeniesMetadataAndThisMachine(string url) =>
        Assert.Equal(FailureReason.PolicyDenied, Assert.Throws<TaskFailureException>(() => HostGuard.Of([]).Require(RemotePath.Parse(url))).Reason);

    [Fact]
    public void Of_AddressesOfThisMachine_AreThisMachine()
    {
        var own = NetworkInterface.GetAllNetworkInterfaces().SelectMany(network => network.GetIPProperties().UnicastAddresses).Select(own => own.Address).Where(own => !own.IsIPv6LinkLocal).ToList();
        Assert.NotEmpty(own);
        Assert.All(own, address => Assert.Equal(NetworkPlaceKind.ThisMachine, NetworkPlace.Of(address)));
    }

    [Theory]
    [InlineData("example.org", "https://example.org/x", true)]
    [InlineData("example.org", "https://EXAMPLE.org/x", true)]
    [InlineData("example.org", "https://example.org:443/x", true)]
    [InlineData("example.org", "https://example.org:8443/x", false)]
    [InlineData("example.org:8443", "https://example.org:8443/x", true)]
    [InlineData("example.org:8443", "https://example.org/x", false)]
    [InlineData("example.org:*", "https://example.org:8443/x", true)]
    [InlineData("*.example.org", "https://a.example.org/x", true)]
    [InlineData("*.example.org", "https://example.org/x", false)]
    [InlineData("*.example.org", "https://a.example.org.evil.net/x", false)]
    [InlineData("127.0.0.1:8080", "http://127.0.0.1:8080/x", true)]
    [InlineData("[::1]:8080", "http://[::1]:8080/x", true)]
    [InlineData("*", "https://127.0.0.1/x", true)]
    [InlineData("*", "https://169.254.169.254/x", false)]
    [InlineData("169.254.169.254", "https://169.254.169.254/x", false)]
    [InlineData("metadata.google.internal", "https://metadata.google.internal/x", false)]
    public void Require_Patterns_AllowTheirHosts(string pattern, string url, bool allowed)
    {
        var guard = HostGuard.Of([pattern]);
        if (allowed)
            guard.Require(RemotePath.Parse(url));
        else
            Assert.Equal(FailureReason.PolicyDenied, Assert.Throws<TaskFailureException>(() => guard.Require(RemotePath.Parse(url))).Reason);
    }

    [Fact]
    public void Require_NobodysPolicy_AllowsEverything()
    {
        HostGuard.None.Require(RemotePath.Parse("https://169.254.169.254/x"));
        HostGuard.None.Require(RemotePath.Parse("http://127.0.0.1:8080/x"));
    }

    [Fact]
    public void Require_Denied_SaysNothingOfTheQuery() =>
        Assert.DoesNotContain("secret", Assert.Throws<TaskFailureException>(() => HostGuard.Of(["a"]).Require(RemotePath.Parse("https://b/x?secret"))).ToString(), StringComparison.Ordinal);

    [Fact]
    public async Task Stat_NameThatLeadsToThisMachine_IsDeniedUnlessItIsNamed()
    {
        var stores = ObjectStores.Open("/srv");
        var path = RemotePath.Parse("http://localhost:1/x");
        var location = stores.Resolve(path, httpHosts: []);
        var failure = await Assert.ThrowsAsync<TaskFailureException>(() => location.Store.StatAsync(location.Bucket, location.Key, TestContext.Current.CancellationToken));
        Assert.Equal(FailureReason.PolicyDenied, failure.Reason);
        Assert.Contains("this machine", failure.Message, StringComparison.Ordinal);
        // Named, it is only that nobody listens.
        location = stores.Resolve(path, httpHosts: ["localhost:1"]);
        failure = await Assert.ThrowsAsync<TaskFailureException>(() => location.Store.StatAsync(location.Bucket, location.Key, TestContext.Current.CancellationToken));
        Assert.Equal(FailureReason.TransferFailed, failure.Reason);
    }
}
