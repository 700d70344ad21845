using System.Text;
using RabbitMQ.Client;
using Xunit;

namespace Sisyphus.Tests.Broker.Foreign;

public sealed class ForeignClientTests(BrokerFixture fixture) : IAsyncLifetime
{
    private const string Exchange = "e";
    private const string Key = "k";
    private const string Queue = "q";

    private static readonly byte[] Document = Encoding.UTF8.GetBytes("""{"image": "ä😀", "commands": [{"command": ["true"]}]}""");

    private Uri _address = null!;
    private IConnection _connection = null!;
    private IChannel _channel = null!;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _address = await fixture.NewVirtualHostAsync();
        _connection = await new ConnectionFactory { Uri = _address, AutomaticRecoveryEnabled = false }.CreateConnectionAsync(Token);
        _channel = await _connection.CreateChannelAsync(cancellationToken: Token);
        await _channel.ExchangeDeclareAsync(Exchange, ExchangeType.Direct, cancellationToken: Token);
        await _channel.QueueDeclareAsync(Queue, true, false, false, cancellationToken: Token);
        await _channel.QueueBindAsync(Queue, Exchange, Key, cancellationToken: Token);
    }

    public async ValueTask DisposeAsync()
    {
        await _channel.DisposeAsync();
        await _connection.DisposeAsync();
    }

    private async Task<BasicGetResult> GetAsync()
    {
        var message = await _channel.BasicGetAsync(Queue, true, Token);
        Assert.NotNull(message);
        return message;
    }

    [Theory, InlineData("text/plain", true), InlineData("application/json", false), InlineData(null, true)]
    public async Task Pika_Message_ArrivesAsItWasSent(string? contentType, bool persistent)
    {
        var file = Path.GetTempFileName();
        try
        {
            await File.WriteAllBytesAsync(file, Document, Token);
            await PikaClient.SendAsync(_address, Exchange, Key, file, contentType, persistent);
        }
        finally
        {
            File.Delete(file);
        }
        var message = await GetAsync();
        Assert.Equal(Document, message.Body);
        Assert.Equal((contentType, persistent), (message.BasicProperties.ContentType, message.BasicProperties.Persistent));
    }

    [Fact]
    public async Task Pika_NoQueue_Fails()
    {
        var error = await Assert.ThrowsAsync<InvalidOperationException>(() => PikaClient.SendAsync(_address, Exchange, "nowhere", "/dev/null", null, true));
        Assert.Contains("Unroutable", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Raw_Message_ArrivesAsItWasSent()
    {
        await using var client = await RawAmqpClient.ConnectAsync(_address, Token);
        await client.PublishAsync(Exchange, Key, Document, new RawProperties("text/plain", 2), Token);
        await client.CloseAsync(Token);
        var message = await GetAsync();
        Assert.Equal(Document, message.Body);
        Assert.Equal(("text/plain", DeliveryModes.Persistent), (message.BasicProperties.ContentType, message.BasicProperties.DeliveryMode));
    }

    [Theory, InlineData(0), InlineData(131064), InlineData(131065), InlineData(1_000_000)]
    public async Task Raw_BodyOfAnySize_ArrivesWhole(int size)
    {
        var body = new byte[size];
        new Random(1).NextBytes(body);
        await using var client = await RawAmqpClient.ConnectAsync(_address, Token);
        await client.PublishAsync("", Queue, body, new RawProperties(), Token);
        await client.CloseAsync(Token);
        Assert.Equal(body, (await GetAsync()).Body);
    }

    [Fact]
    public async Task Raw_Headers_AreThoseThatWereWritten()
    {
        await using var client = await RawAmqpClient.ConnectAsync(_address, Token);
        var headers = new AmqpBytes().ShortString("claims").Octet((byte)'I').Long(99).ShortString("owner").Octet((byte)'S').LongString("somebody"u8).ToArray();
        await client.PublishAsync("", Queue, Document, new RawProperties(ContentEncoding: "gzip", Headers: headers), Token);
        await client.CloseAsync(Token);
        var properties = (await GetAsync()).BasicProperties;
        Assert.Equal(99, properties.Headers!["claims"]);
        Assert.Equal("somebody"u8.ToArray(), Assert.IsType<byte[]>(properties.Headers["owner"]));
        Assert.Equal(("gzip", false), (properties.ContentEncoding, properties.IsContentTypePresent()));
    }

    [Fact]
    public async Task Raw_UnknownExchange_IsToldAtTheEnd()
    {
        await using var client = await RawAmqpClient.ConnectAsync(_address, Token);
        await client.PublishAsync("unknown", Key, Document, new RawProperties(), Token);
        var error = await Assert.ThrowsAsync<InvalidOperationException>(() => client.CloseAsync(Token));
        Assert.Contains("404 NOT_FOUND", error.Message, StringComparison.Ordinal);
    }
}
