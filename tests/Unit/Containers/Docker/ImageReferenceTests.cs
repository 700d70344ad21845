using Sisyphus.Engine.Containers.Docker;

using Xunit;

namespace Sisyphus.Tests.Unit.Containers.Docker;

public sealed class ImageReferenceTests
{
    [Theory]
    [InlineData("alpine", "alpine:latest", "alpine")]
    [InlineData("alpine:3", "alpine:3", "alpine")]
    [InlineData("host:5000/a/b", "host:5000/a/b:latest", "host:5000/a/b")]
    [InlineData("host:5000/a/b:1", "host:5000/a/b:1", "host:5000/a/b")]
    [InlineData("a@sha256:00", "a@sha256:00", "a")]
    [InlineData("host:5000/a:1@sha256:00", "host:5000/a:1@sha256:00", "host:5000/a")]
    [InlineData("sha256:00", "sha256:00", "sha256")]
    public void WithTagAndRepository_Reference_IsTakenApart(string reference, string tagged, string repository)
    {
        Assert.Equal(tagged, ImageReference.WithTag(reference));
        Assert.Equal(repository, ImageReference.Repository(reference));
    }
}
