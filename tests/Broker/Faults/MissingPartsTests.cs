using RabbitMQ.Client;
using Xunit;

namespace Sisyphus.Tests.Broker.Faults;

/// <summary>Somebody deletes on the broker what the nodes use.</summary>
public sealed class MissingPartsTests(OwnBrokerFixture fixture) : IClassFixture<OwnBrokerFixture>
{
    private static readonly TimeSpan s_lease = TimeSpan.FromSeconds(6);

    private BrokerServer Server => fixture.Server;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("events")]
    [InlineData("heartbeats")]
    [InlineData("returns")]
    [InlineData("lease.a@6s")]
    public async Task DeleteQueue_UnderLoad_EachEndsOnce(string name)
    {
        await using var work = await BeginAsync();
        // None of them ends in the moment of the deletion: what the deleted stream alone was told nobody can know.
        work.Hold = _ => TimeSpan.FromSeconds(15);
        await work.SendAsync(12);
        await work.StartedAsync(6);
        await work.ReadAsync();
        work.Hold = _ => TimeSpan.FromSeconds(2);
        await Server.DeleteQueueAsync($"{work.Prefix}.{name}");
        await work.AssertHearsAsync(30);
        work.Report($"{name} deleted", await work.FinishAsync());
        await work.AssertHearsAsync();
    }

    [Fact]
    public async Task DeleteTaskQueue_UnderLoad_HeldTasksEndAndNewOnesRun()
    {
        await using var work = await BeginAsync();
        await work.SendAsync(6);
        await work.StartedAsync(6);
        await Server.DeleteQueueAsync($"{work.Prefix}-queue");
        await Server.DeleteQueueAsync($"{work.Prefix}-queue.front");
        await work.AssertHearsAsync(20);
        work.Report("task queue deleted", await work.FinishAsync());
    }

    [Fact]
    public async Task DeleteFrontQueue_WhileEveryNodeIsBusy_TaskCanStillGoBack()
    {
        await using var work = new Workload(Server, s_lease) { Hold = _ => TimeSpan.FromMinutes(1) };
        var leaving = await work.JoinAsync("leaving", 1);
        await work.SendAsync(1);
        await work.StartedAsync(1);
        await Server.DeleteQueueAsync($"{work.Prefix}-queue.front");
        work.Hold = _ => TimeSpan.FromSeconds(1);
        await work.LeaveAsync(leaving);
        await work.JoinAsync("next", 1);
        work.Report("front queue deleted before a release", await work.FinishAsync() - 1);
    }

    [Theory]
    [InlineData(".bus")]
    [InlineData("-exchange")]
    public async Task DeleteExchange_UnderLoad_EachEndsOnce(string name)
    {
        await using var work = await BeginAsync();
        await work.SendAsync(12);
        await work.StartedAsync(5);
        await Server.EvalAsync($"rabbit_exchange:delete(rabbit_misc:r(<<\"/\">>, exchange, <<\"{work.Prefix}{name}\">>), false, <<\"test\">>)");
        await work.AssertHearsAsync(20);
        work.Report($"{name[1..]} deleted", await work.FinishAsync());
        await work.AssertHearsAsync();
    }

    [Fact]
    public async Task UnbindEvents_WhileAnotherQueueHasThem_WhatWasConfirmedInVainIsWrittenAgain()
    {
        await using var work = await BeginAsync();
        await work.SendAsync(1);
        await work.StartedAsync(1);
        await using var connection = await new ConnectionFactory { Uri = Server.AmqpUri }.CreateConnectionAsync(Token);
        await using var channel = await connection.CreateChannelAsync(cancellationToken: Token);
        // Without it the broker would give the events back.
        var other = await channel.QueueDeclareAsync(cancellationToken: Token);
        await channel.QueueBindAsync(other.QueueName, $"{work.Prefix}.bus", "#", cancellationToken: Token);
        foreach (var keys in (string[])["task.#", "tasks.#", "node.#"])
            await channel.QueueUnbindAsync($"{work.Prefix}.events", $"{work.Prefix}.bus", keys, cancellationToken: Token);
        await work.AssertHearsAsync(20);
        work.Report("events unbound from the bus", await work.FinishAsync());
        Assert.All(work.Nodes, node => Assert.Equal(0, node.Troubles));
    }

    [Theory]
    [InlineData("{<<\"x-max-priority\">>, byte, 9}")]
    [InlineData("{<<\"x-message-ttl\">>, long, 600000}")]
    [InlineData("{<<\"x-queue-type\">>, longstr, <<\"quorum\">>}")]
    public async Task TaskQueueWithOddArguments_IsThereBefore_IsUsedAsItIs(string argument)
    {
        await using var work = new Workload(Server, s_lease);
        await Server.EvalAsync($"{{new, _}} = rabbit_amqqueue:declare(rabbit_misc:r(<<\"/\">>, queue, <<\"{work.Prefix}-queue\">>), true, false, [{argument}], none, <<\"test\">>)");
        await work.JoinAsync("a", 3);
        await work.JoinAsync("b", 3);
        await work.SendAsync(8);
        work.Report($"task queue with {argument}", await work.FinishAsync());
    }

    private async Task<Workload> BeginAsync()
    {
        var work = new Workload(Server, s_lease) { Hold = id => TimeSpan.FromSeconds(id.EndsWith('0') ? 9 : 2) };
        await work.JoinAsync("a", 3);
        await work.JoinAsync("b", 3);
        return work;
    }
}
