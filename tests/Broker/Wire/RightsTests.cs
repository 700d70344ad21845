using System.Diagnostics;
using System.Text;
using RabbitMQ.Client;
using Sisyphus.Engine.Queues;
using Sisyphus.Engine.Tasks;
using Xunit;

namespace Sisyphus.Tests.Broker.Wire;

/// <summary>Users with too few rights are told which, at once.</summary>
public sealed class RightsTests(BrokerFixture fixture)
{
    private const string All = ".*";
    private const string None = "^$";
    private const string Password = "s3cr3t-of-the-user";
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(15);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(None, All, All, "declare the queue sisyphus.node.node-1")]
    [InlineData("""^(?!sisyphus\.events).*$""", All, All, "declare the stream sisyphus.events")]
    [InlineData("""^(?!sisyphus\.heartbeats).*$""", All, All, "declare the stream sisyphus.heartbeats")]
    [InlineData("""^(?!sisyphus-queue).*$""", All, All, "declare the queue sisyphus-queue")]
    [InlineData(All, None, All, "amq.default")]
    [InlineData(All, """^(?!amq\.default).*$""", All, "amq.default")]
    [InlineData(All, """^(?!sisyphus\.bus).*$""", All, "sisyphus.bus")]
    [InlineData(All, All, None, "consume sisyphus.node.node-1")]
    [InlineData(All, All, """^(?!sisyphus\.events).*$""", "read sisyphus.events")]
    [InlineData(All, All, """^(?!sisyphus\.lease).*$""", "sisyphus.lease.node-1")]
    [InlineData(All, All, """^(?!sisyphus\.returns).*$""", "sisyphus.returns")]
    public async Task JoinAsync_RightMissing_NamesIt(string configure, string write, string read, string said)
    {
        await using var queue = TaskQueues.Open((await UserAsync(configure, write, read)).ToString());
        var since = Stopwatch.GetTimestamp();
        var error = await Assert.ThrowsAsync<QueueException>(() => queue.JoinAsync(new NodeRegistration("node-1", 1, 1, 1, "Tests 1", TimeSpan.FromSeconds(5)), Token));
        AssertDenied(error, said);
        Assert.InRange(Stopwatch.GetElapsedTime(since), TimeSpan.Zero, Soon);
    }

    [Theory, InlineData(None, All, "sisyphus.bus"), InlineData(All, None, "amq.default"), InlineData(All, """^(?!amq\.default).*$""", "amq.default")]
    public async Task SendAsync_RightMissing_NamesIt(string configure, string write, string said)
    {
        await using var queue = TaskQueues.Open((await UserAsync(configure, write, All)).ToString());
        var since = Stopwatch.GetTimestamp();
        try
        {
            var outcome = Assert.Single(await queue.SendAsync([TaskDocumentReader.ReadAll(Encoding.UTF8.GetBytes("""{"id": "a", "image": "a", "commands": [{"command": ["x"]}]}"""))[0]], Token));
            Assert.Equal(SendResult.Refused, outcome.Result);
            Assert.Contains(said, outcome.Message, StringComparison.Ordinal);
        }
        catch (QueueException error)
        {
            AssertDenied(error, said);
        }
        Assert.InRange(Stopwatch.GetElapsedTime(since), TimeSpan.Zero, Soon);
    }

    [Fact]
    public async Task JoinAsync_EventsAreNoStream_SaysSo()
    {
        var address = await fixture.NewVirtualHostAsync();
        await using var connection = await new ConnectionFactory { Uri = address, AutomaticRecoveryEnabled = false }.CreateConnectionAsync(Token);
        await using var channel = await connection.CreateChannelAsync(cancellationToken: Token);
        await channel.QueueDeclareAsync("sisyphus.events", true, false, false, cancellationToken: Token);
        await using var queue = TaskQueues.Open(address.ToString());
        var error = await Assert.ThrowsAsync<QueueException>(() => queue.GetNodesAsync(Token));
        Assert.Equal(QueueFailure.NotAQueue, error.Failure);
        Assert.True(error.Message.Contains("sisyphus.events is not a stream", StringComparison.Ordinal), error.Message);
    }

    [Fact]
    public async Task Return_TaskThatTheNodeMayNotPutBack_StopsNobody()
    {
        var user = await UserAsync("""^(?!other-queue).*$""", All, All);
        var everybody = new UriBuilder(user) { UserName = "guest", Password = "guest" }.Uri;
        await using var sender = TaskQueues.Open(everybody.ToString());
        Assert.Equal(SendResult.Sent, Assert.Single(await sender.SendAsync([Doc("""{"id": "a", "image": "a", "workflow": "other", "commands": [{"command": ["x"]}]}""")], Token)).Result);
        await using var queue = TaskQueues.Open(user.ToString(), new QueueOptions { LeaseTime = TimeSpan.FromSeconds(6) });
        await using var session = await queue.JoinAsync(new NodeRegistration("node-1", 1, 1, 1, "Tests 1", TimeSpan.FromSeconds(5)), Token);
        await using var connection = await new ConnectionFactory { Uri = everybody, AutomaticRecoveryEnabled = false }.CreateConnectionAsync(Token);
        await using var channel = await connection.CreateChannelAsync(cancellationToken: Token);
        var properties = new BasicProperties { Persistent = true, Headers = new Dictionary<string, object?> { ["sisyphus-id"] = "a", ["sisyphus-lane"] = "other-queue" } };
        await channel.BasicPublishAsync("", "sisyphus.returns", mandatory: true, properties, "hello"u8.ToArray(), Token);
        Assert.Equal(SendResult.Sent, Assert.Single(await sender.SendAsync([Doc("""{"id": "b", "image": "a", "commands": [{"command": ["x"]}]}""")], Token)).Result);
        Assert.Equal("b", (await session.ClaimAsync(ClaimRequest.Anything, Token)).Document.Id);
        // In the end it is said, once, instead of going round for ever.
        List<DeadLetter> letters = [];
        for (var since = Stopwatch.GetTimestamp(); letters.Count == 0 && Stopwatch.GetElapsedTime(since).TotalSeconds < 40; await Task.Delay(200, Token))
        {
            await foreach (var letter in sender.GetDeadLettersAsync([], Token))
                letters.Add(letter);
        }
        Assert.Contains("other-queue.front", Assert.Single(letters).Message, StringComparison.Ordinal);
    }

    private static TaskDocument Doc(string json) => TaskDocumentReader.ReadAll(Encoding.UTF8.GetBytes(json))[0];

    private static void AssertDenied(QueueException error, string said)
    {
        Assert.Equal(QueueFailure.Denied, error.Failure);
        Assert.True(error.Message.Contains(said, StringComparison.Ordinal), error.Message);
        Assert.DoesNotContain(Password, error.ToString(), StringComparison.Ordinal);
    }

    private async Task<Uri> UserAsync(string configure, string write, string read)
    {
        var host = (await fixture.NewVirtualHostAsync()).AbsolutePath[1..];
        return await fixture.Server.AddUserAsync("u-" + host, Password, host, configure, write, read);
    }
}
