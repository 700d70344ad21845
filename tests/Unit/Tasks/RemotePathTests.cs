using Sisyphus.Engine.Tasks;
using Xunit;

namespace Sisyphus.Tests.Unit.Tasks;

public sealed class RemotePathTests
{
    [Theory]
    [InlineData("b:k", null, "b", "k", false)]
    [InlineData("b:d/k:x", null, "b", "d/k:x", false)]
    [InlineData("b:d/", null, "b", "d/", true)]
    [InlineData("b:", null, "b", "", true)]
    [InlineData("gs://b/d/k", "gs", "b", "d/k", false)]
    [InlineData("s3://b", "s3", "b", "", true)]
    [InlineData("AZ://c/k", "az", "c", "k", false)]
    [InlineData("https://h:8443/p?q=a/b", "https", "h:8443", "p?q=a/b", false)]
    [InlineData("http://h/p", "http", "h", "p", false)]
    [InlineData("file:///srv/x", "file", "", "/srv/x", false)]
    [InlineData("b:.sisyphus/x", null, "b", ".sisyphus/x", false)]
    public void Parse_EveryForm_HasItsParts(string text, string? scheme, string bucket, string key, bool isPrefix)
    {
        var path = RemotePath.Parse(text);

        Assert.Equal(new RemotePath(scheme, bucket, key), path);
        Assert.Equal(isPrefix, path.IsPrefix);
        Assert.Equal(path, RemotePath.Parse(path.Written));
    }

    [Theory]
    [InlineData("", "is empty")]
    [InlineData("key", "has no bucket")]
    [InlineData("/srv/x", "has no bucket")]
    [InlineData("a/b:c", "may not contain a slash")]
    [InlineData("..:c", "is no bucket name")]
    [InlineData("gs://../c", "is no bucket name")]
    [InlineData("b:/c", "write \"b:c\"")]
    [InlineData("gs://b//c", "may not begin with \"/\"")]
    [InlineData("C:\\x", "Windows path")]
    [InlineData("\\\\host\\share", "Windows path")]
    [InlineData("b:a/../c", "as a segment")]
    [InlineData("file:///srv/../etc/passwd", "as a segment")]
    [InlineData("https://h/a/../b", "as a segment")]
    [InlineData("https:///x", "not a valid https URL")]
    [InlineData("https://user:secret@h/x", "no place for secrets")]
    [InlineData("http://u:secret@h/x", "no place for secrets")]
    [InlineData("http:///x", "not a valid http URL")]
    [InlineData("b:a\u0007", "control characters")]
    public void TryParse_NoRemotePath_SaysWhy(string text, string expected)
    {
        Assert.False(RemotePath.TryParse(text, out var path, out var error));
        Assert.Null(path);
        Assert.Contains(expected, error, StringComparison.Ordinal);
        Assert.DoesNotContain("secret@", error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("https://h/p?sig=secret", "https://h/p")]
    [InlineData("http://h/p?q", "http://h/p")]
    [InlineData("gs://b/p?q", "gs://b/p?q")]
    [InlineData("b:p?q", "b:p?q")]
    public void ToString_WebAddress_HasNoQuery(string text, string expected) => Assert.Equal(expected, RemotePath.Parse(text).ToString());

    [Theory]
    [InlineData(1024, true)]
    [InlineData(1025, false)]
    public void TryParse_KeyOfManyBytes_HasTheLimitOfTheStores(int bytes, bool expected) =>
        Assert.Equal(expected, RemotePath.TryParse("b:" + new string('ä', bytes / 2) + new string('a', bytes % 2), out _, out _));
}
