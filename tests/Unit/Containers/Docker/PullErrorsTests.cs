using Sisyphus.Engine.Containers.Docker;
using Sisyphus.Engine.Tasks;

using Xunit;

namespace Sisyphus.Tests.Unit.Containers.Docker;

/// <summary>Sentences of registries and engines that no test can bring about on one machine.</summary>
public sealed class PullErrorsTests
{
    [Theory]
    [InlineData("pull access denied for nosuch, repository does not exist or may require 'docker login': denied: requested access to the resource is denied", FailureReason.ImagePullDenied)]
    [InlineData("unauthorized: authentication required", FailureReason.ImagePullDenied)]
    [InlineData("Head \"https://registry.example/v2/a/manifests/1\": no basic auth credentials", FailureReason.ImagePullDenied)]
    [InlineData("error parsing HTTP 403 response body: unexpected end of JSON input: 403 Forbidden", FailureReason.ImagePullDenied)]
    [InlineData("toomanyrequests: You have reached your pull rate limit. unauthorized", FailureReason.ImagePullFailed)]
    [InlineData("denied: permission_denied: read_package", FailureReason.ImagePullDenied)]
    [InlineData("failed to register layer: open /var/lib/docker/overlay2/x/work: permission denied: unknown", FailureReason.ImagePullFailed)]
    [InlineData("manifest for alpine:nope not found: manifest unknown: manifest unknown", FailureReason.ImageNotFound)]
    [InlineData("failed to resolve reference \"docker.io/library/alpine:nope\": docker.io/library/alpine:nope: not found", FailureReason.ImageNotFound)]
    [InlineData("no matching manifest for linux/arm64/v8 in the manifest list entries", FailureReason.ImageNotFound)]
    [InlineData("Get \"https://registry-1.docker.io/v2/\": dial tcp: lookup registry-1.docker.io: no such host", FailureReason.ImagePullFailed)]
    [InlineData("Get \"https://r/v2/\": net/http: TLS handshake timeout", FailureReason.ImagePullFailed)]
    [InlineData("received unexpected HTTP status: 503 Service Unavailable", FailureReason.ImagePullFailed)]
    [InlineData("write /var/lib/docker/tmp/GetImageBlob1: no space left on device", FailureReason.DiskFull)]
    [InlineData("invalid reference format: repository name must be lowercase", FailureReason.InvalidDocument)]
    public void Classify_Sentence_HasItsReason(string sentence, FailureReason reason) =>
        Assert.Equal(reason, PullErrors.Classify(sentence));
}
