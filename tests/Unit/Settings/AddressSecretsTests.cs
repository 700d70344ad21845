using Sisyphus.Engine.Settings;
using Xunit;

namespace Sisyphus.Tests.Unit.Settings;

public sealed class AddressSecretsTests
{
    [Theory]
    [InlineData("amqp://me:s3cr3t@h1,h2:7/v?prefix=x", "amqp://***@h1,h2:7/v?prefix=x")]
    [InlineData("AMQPS://me:s3cr3t@h", "amqps://***@h")]
    [InlineData("amqp://me:s3/cr3t@h", "amqp://***@h")]
    [InlineData("amqp://me:s3cr3t", "amqp://***")]
    [InlineData(" amqp://me:s3cr3t@h", " amqp://***@h")]
    [InlineData("ampq://me:s3/cr3t@h/v", "ampq://***@h/v")]
    [InlineData("http://me:s3cr3t@h/v", "http://***@h/v")]
    [InlineData("me:s3cr3t@h", "me:***@h")]
    [InlineData("tcp://me:s3cr3t@h:2376", "tcp://***@h:2376")]
    [InlineData("https://h/c?sig=s3cr3t", "https://h/c?***")]
    [InlineData("gs://bucket/a@b", "gs://bucket/a@b")]
    [InlineData("tcp://h:2376", "tcp://h:2376")]
    [InlineData("sqlite:/a@b?c", "sqlite:/a@b?c")]
    [InlineData("file:///a@b", "file:///a@b")]
    [InlineData(@"C:\a@b", @"C:\a@b")]
    [InlineData("/a:b@c", "/a:b@c")]
    [InlineData("", "")]
    public void Hide_EveryForm_ShowsNoSecret(string address, string shown) => Assert.Equal(shown, AddressSecrets.Hide(address));
}
