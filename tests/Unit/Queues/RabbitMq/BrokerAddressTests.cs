using System.Net;

using Sisyphus.Engine.Queues.RabbitMq.Connections;
using Xunit;

namespace Sisyphus.Tests.Unit.Queues.RabbitMq;

public sealed class BrokerAddressTests
{
    private const string Secret = "s3cr3t";

    [Theory]
    [InlineData("amqp://h", "h:5672", "/", null, null)]
    [InlineData("AMQP://Broker.Example", "broker.example:5672", "/", null, null)]
    [InlineData("amqp://h/", "h:5672", "/", null, null)]
    [InlineData("amqp://h/%2f", "h:5672", "/", null, null)]
    [InlineData("amqp://h/lab", "h:5672", "lab", null, null)]
    [InlineData("amqp://h/a%2Fb%20%C3%A4", "h:5672", "a/b ä", null, null)]
    [InlineData("amqp://h:1234", "h:1234", "/", null, null)]
    [InlineData("amqps://h", "h:5671", "/", null, null)]
    [InlineData("amqps://h,h2:99", "h:5671 h2:99", "/", null, null)]
    [InlineData("amqp://h1,h2:5673,h3/v", "h1:5672 h2:5673 h3:5672", "v", null, null)]
    [InlineData("amqp://10.0.0.1:5,[::1]:6,[2001:DB8::1]", "10.0.0.1:5 [::1]:6 [2001:db8::1]:5672", "/", null, null)]
    [InlineData("amqp://me@h", "h:5672", "/", "me", null)]
    [InlineData("amqp://me:s3cr3t@h", "h:5672", "/", "me", "s3cr3t")]
    [InlineData("amqp://me:@h", "h:5672", "/", "me", "")]
    [InlineData("amqp://m%40e:%3A%2F%40%3f%23%25@h", "h:5672", "/", "m@e", ":/@?#%")]
    [InlineData("amqp://me:a:b@h", "h:5672", "/", "me", "a:b")]
    [InlineData("amqp://h?", "h:5672", "/", null, null)]
    [InlineData("amqp://h/v?prefix=lab", "h:5672", "v", null, null)]
    [InlineData("amqp://rabbit_1.svc-x.local", "rabbit_1.svc-x.local:5672", "/", null, null)]
    public void Parse_EveryForm_IsTaken(string text, string hosts, string vhost, string? user, string? password)
    {
        var address = BrokerAddress.Parse(text);
        Assert.Equal(hosts, string.Join(' ', address.Hosts));
        Assert.Equal(vhost, address.VirtualHost);
        Assert.Equal(user, address.User);
        Assert.Equal(password, address.Password);
        Assert.Equal(text.StartsWith("amqps", StringComparison.Ordinal), address.UsesTls);
    }

    [Theory]
    [InlineData("heartbeat=10", 10)]
    [InlineData("heartbeat=60s", 60)]
    [InlineData("heartbeat=PT5M", 300)]
    [InlineData("heartbeat=1", 1)]
    public void Parse_Heartbeat_IsTaken(string query, double seconds) =>
        Assert.Equal(TimeSpan.FromSeconds(seconds), BrokerAddress.Parse("amqp://h?" + query).Heartbeat);

    [Theory]
    [InlineData("connect_timeout=5", 5)]
    [InlineData("connect_timeout=1500ms", 1.5)]
    [InlineData("connect_timeout=10m", 600)]
    [InlineData("connection_timeout=10000", 10)]
    [InlineData("connection_timeout=10s", 10)]
    public void Parse_ConnectTimeout_IsTaken(string query, double seconds) =>
        Assert.Equal(TimeSpan.FromSeconds(seconds), BrokerAddress.Parse("amqp://h?" + query).ConnectTimeout);

    [Fact]
    public void Parse_OtherKeys_AreTaken()
    {
        var address = BrokerAddress.Parse("amqps://h/v?prefix=lab-1.x_Y&queues=classic&cacertfile=/etc/a%20b/ca.pem&certfile=/c.pem&keyfile=/k.pem");
        Assert.Equal("lab-1.x_Y", address.Prefix);
        Assert.Equal(BrokerQueueKind.Classic, address.QueueKind);
        Assert.Equal("/etc/a b/ca.pem", address.AuthorityFile);
        Assert.Equal("/c.pem", address.CertificateFile);
        Assert.Equal("/k.pem", address.KeyFile);
    }

    [Fact]
    public void Parse_NothingSaid_HasTheDefaults()
    {
        var address = BrokerAddress.Parse("amqp://h");
        Assert.Equal(("sisyphus", BrokerQueueKind.Auto), (address.Prefix, address.QueueKind));
        Assert.Equal((TimeSpan.FromSeconds(10), TimeSpan.FromSeconds(30)), (address.Heartbeat, address.ConnectTimeout));
        Assert.Equal((null, null, null), (address.AuthorityFile, address.CertificateFile, address.KeyFile));
    }

    [Theory]
    [InlineData("", "no address of a broker")]
    [InlineData("h:5672", "no address of a broker")]
    [InlineData("http://h", "no address of a broker")]
    [InlineData("amqp:h", "no address of a broker")]
    [InlineData("amqp://", "an empty host")]
    [InlineData("amqp:///v", "an empty host")]
    [InlineData("amqp://h,,g", "an empty host")]
    [InlineData("amqp://h,", "an empty host")]
    [InlineData("amqp://me@", "an empty host")]
    [InlineData("amqp://a b", "'a b'")]
    [InlineData("amqp://::1", "an IPv6 address in brackets")]
    [InlineData("amqp://[1.2.3.4]", "an IPv6 address in brackets")]
    [InlineData("amqp://[::g]", "an IPv6 address in brackets")]
    [InlineData("amqp://h,H", "names the host h:5672 twice")]
    [InlineData("amqp://h:", "1 to 65535")]
    [InlineData("amqp://h:0", "1 to 65535")]
    [InlineData("amqp://h:65536", "1 to 65535")]
    [InlineData("amqp://h:-1", "1 to 65535")]
    [InlineData("amqp://me:s3cr3t", "port of the broker's host me")]
    [InlineData("amqp://me:s3cr3t/v", "port of the broker's host me")]
    [InlineData("amqp://me:s3c/s3cr3t@h", "write @ as %40, / as %2F")]
    [InlineData("amqp://me:s3cr3t?x@h", "write @ as %40, / as %2F")]
    [InlineData("amqp://me:s3cr3t#x@h", "write @ as %40, / as %2F")]
    [InlineData("amqp://me:s3cr3t@x@h", "write @ as %40, / as %2F")]
    [InlineData("amqp://me:s3cr3t@x/y@h", "write @ as %40, / as %2F")]
    [InlineData("amqp://:s3cr3t@h", "without a user name")]
    [InlineData("amqp://me:s3cr3t%@h", "password of the broker's address has a %")]
    [InlineData("amqp://me:s3cr3t@h/%zz", "virtual host of the broker's address has a %")]
    [InlineData("amqp://h#x", "#")]
    [InlineData("amqp://h/a/b", "write / as %2F")]
    [InlineData("amqp://me:s3cr3t@h?heartbaet=5", "'heartbaet'. Meant: heartbeat?")]
    [InlineData("amqp://h?cafile=x", "Meant: cacertfile?")]
    [InlineData("amqp://h?password=s3cr3t", "-Credential")]
    [InlineData("amqp://h?verify=verify_none", "always verified")]
    [InlineData("amqp://h?Prefix=x", "Meant: prefix?")]
    [InlineData("amqp://h?nonsense=1", "Allowed: heartbeat, connect_timeout")]
    [InlineData("amqp://h?prefix=a&prefix=b", "'prefix' twice")]
    [InlineData("amqp://h?connect_timeout=5&connection_timeout=5000", "are one")]
    [InlineData("amqp://h?heartbeat=0", "1s to 5m")]
    [InlineData("amqp://h?heartbeat=301", "1s to 5m")]
    [InlineData("amqp://h?heartbeat=1.5", "whole seconds")]
    [InlineData("amqp://h?heartbeat=soon", "heartbeat=soon")]
    [InlineData("amqp://h?heartbeat", "heartbeat=")]
    [InlineData("amqp://h?connect_timeout=500ms", "1s to 10m")]
    [InlineData("amqp://h?connect_timeout=11m", "1s to 10m")]
    [InlineData("amqp://h?connection_timeout=10", "milliseconds")]
    [InlineData("amqp://h?prefix=", "1 to 64")]
    [InlineData("amqp://h?prefix=a%20b", "prefix=a b")]
    [InlineData("amqp://h?queues=mirrored", "auto, quorum, classic")]
    [InlineData("amqp://h?cacertfile=/x", "amqps://")]
    [InlineData("amqps://h?cacertfile=x.pem", "absolute path")]
    [InlineData("amqps://h?keyfile=/x", "without a certfile")]
    public void Parse_WhatIsWrong_IsSaid(string text, string said)
    {
        var error = Assert.Throws<FormatException>(() => BrokerAddress.Parse(text));
        Assert.Contains(said, error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(Secret, error.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Parse_LongPrefix_IsRefused() =>
        Assert.Contains("1 to 64", Assert.Throws<FormatException>(() => BrokerAddress.Parse("amqp://h?prefix=" + new string('a', 65))).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData("amqp://me:s3cr3t@H:5672/%2f?heartbeat=10&queues=auto&prefix=sisyphus", "amqp://me@h")]
    [InlineData("amqps://h,g:5672/a%2fb?connection_timeout=5000&prefix=lab&queues=Q", null)]
    [InlineData("amqps://h,g:5672/a%2fb?queues=quorum&connection_timeout=5000&prefix=lab&heartbeat=90", "amqps://h,g:5672/a%2Fb?heartbeat=1m30s&connect_timeout=5s&prefix=lab&queues=quorum")]
    [InlineData("amqps://a%2fb:s3cr3t@[::1],[::2]:7?keyfile=/k%20k&certfile=/c&cacertfile=/x%26y", "amqps://a%2Fb@[::1],[::2]:7?cacertfile=/x%26y&certfile=/c&keyfile=/k%20k")]
    public void ToString_EveryForm_IsCanonicalAndReadAgain(string text, string? canonical)
    {
        if (canonical is null)
        {
            Assert.Throws<FormatException>(() => BrokerAddress.Parse(text));
            return;
        }
        var address = BrokerAddress.Parse(text);
        Assert.Equal(canonical, address.ToString());
        Assert.Equal(canonical, BrokerAddress.Parse(canonical).ToString());
        Assert.DoesNotContain(Secret, $"{address} {address with { Prefix = "x" }}", StringComparison.Ordinal);
    }

    [Fact]
    public void Equals_SameMeaning_IsTrue()
    {
        Assert.Equal(BrokerAddress.Parse("amqp://me:a@h"), BrokerAddress.Parse("amqp://me:%61@H:5672/%2F"));
        Assert.NotEqual(BrokerAddress.Parse("amqp://me:a@h"), BrokerAddress.Parse("amqp://me:b@h"));
    }

    [Fact]
    public void Properties_OfThePublicKind_HoldNoPassword() =>
        Assert.DoesNotContain(typeof(BrokerAddress).GetProperties(), property => property.GetValue(BrokerAddress.Parse($"amqp://me:{Secret}@h"))?.ToString()?.Contains(Secret, StringComparison.Ordinal) == true);

    [Theory]
    [InlineData("you", "", "you")]
    [InlineData("you", "LAB", @"LAB\you")]
    public void WithCredential_OverOneInTheAddress_Replaces(string user, string domain, string expected)
    {
        var address = BrokerAddress.Parse("amqp://me:old@h").WithCredential(new NetworkCredential(user, Secret, domain));
        Assert.Equal((expected, Secret), (address.User, address.Password));
        Assert.DoesNotContain(Secret, address.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void WithCredential_NoUserName_IsRefused() =>
        Assert.Throws<ArgumentException>(() => BrokerAddress.Parse("amqp://h").WithCredential(new NetworkCredential("", Secret)));

    [Theory]
    [InlineData("amqp://me:s3cr3t@h/v?prefix=x", "amqp://***@h/v?prefix=x")]
    [InlineData("amqp://h,g/v", "amqp://h,g/v")]
    [InlineData("amqp://me:s3cr3t@x/y@h", "amqp://***@h")]
    [InlineData("amqp://me:s3cr3t", "amqp://***")]
    [InlineData("amqp://me:x@h?password=s3cr3t", "amqp://***@h?***")]
    [InlineData("amqp:me:s3cr3t@h", "***@h")]
    [InlineData("me:s3cr3t@h", "***@h")]
    public void WithoutSecrets_WhateverIsWrong_ShowsNone(string text, string shown) =>
        Assert.Equal(shown, BrokerAddress.WithoutSecrets(text));
}
