using Sisyphus.Engine.Containers.Registries;

using Xunit;

namespace Sisyphus.Tests.Unit.Containers.Registries;

public sealed class RegistryHostTests
{
    [Theory]
    [InlineData("alpine:3", "docker.io")]
    [InlineData("library/alpine", "docker.io")]
    [InlineData("docker.io/library/alpine", "docker.io")]
    [InlineData("index.docker.io/library/alpine", "docker.io")]
    [InlineData("localhost/tool", "localhost")]
    [InlineData("localhost:5000/tool:1", "localhost:5000")]
    [InlineData("europe-docker.pkg.dev/lab/tools/x@sha256:00", "europe-docker.pkg.dev")]
    [InlineData("[::1]:5000/tool", "[::1]:5000")]
    [InlineData("Host/tool", "Host")]
    [InlineData("1.2.3.4:5000/a/b/c:1", "1.2.3.4:5000")]
    public void Of_Reference_IsItsRegistry(string reference, string host) => Assert.Equal(host, RegistryHost.Of(reference));

    [Theory]
    [InlineData("https://index.docker.io/v1/", "docker.io", true)]
    [InlineData("index.docker.io", "docker.io", true)]
    [InlineData("docker.io", "docker.io", true)]
    [InlineData("https://quay.io", "quay.io", true)]
    [InlineData("http://quay.io/v1/", "quay.io", true)]
    [InlineData("quay.io/team", "quay.io", true)]
    [InlineData("QUAY.io", "quay.io", true)]
    [InlineData("quay.io:443", "quay.io", false)]
    [InlineData("host:5000", "host", false)]
    [InlineData("https://host:5000/v2/", "host:5000", true)]
    [InlineData("host:5001", "host:5000", false)]
    [InlineData("quay.io.evil.example", "quay.io", false)]
    [InlineData("evil.example/quay.io", "quay.io", false)]
    public void IsKeyOf_KeyOfTheSettings_MeansOneRegistry(string key, string host, bool same) => Assert.Equal(same, RegistryHost.IsKeyOf(key, host));

    [Theory]
    [InlineData("gcr.io", true)]
    [InlineData("eu.gcr.io", true)]
    [InlineData("europe-docker.pkg.dev", true)]
    [InlineData("evilgcr.io", false)]
    [InlineData("gcr.io.evil.example", false)]
    [InlineData("gcr.io:5000", false)]
    [InlineData("pkg.dev", false)]
    [InlineData("docker.io", false)]
    public void IsGoogle_Host_OnlyGooglesOwn(string host, bool google) => Assert.Equal(google, RegistryHost.IsGoogle(host));
}
