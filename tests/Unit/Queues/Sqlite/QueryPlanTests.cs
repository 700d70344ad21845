using Sisyphus.Engine.Queues;
using Sisyphus.Engine.Queues.Sqlite;
using Sisyphus.Engine.Tasks;
using Sisyphus.Tests.Unit.Storage;
using Xunit;

namespace Sisyphus.Tests.Unit.Queues.Sqlite;

/// <summary>Statements that must not become slow with the number of tasks.</summary>
public sealed class QueryPlanTests : IDisposable
{
    private readonly TemporaryFolder _folder = new(inMemory: true);

    public void Dispose() => _folder.Dispose();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory, InlineData(false, "USING COVERING INDEX ready"), InlineData(true, "USING COVERING INDEX ready_of_workflow ")]
    public async Task Claim_GoesByItsIndexWithoutSorting(bool ofWorkflow, string index)
    {
        var plan = await PlanAsync(Claiming.Statement(ofWorkflow), ("@workflow", "w"), ("@cpus", 1.0), ("@memory", 1L));
        Assert.Contains(index, plan, StringComparison.Ordinal);
        Assert.DoesNotContain("TEMP B-TREE", plan, StringComparison.Ordinal);
    }

    [Fact]
    public async Task GetTasks_Ids_AreLookedUp() =>
        Assert.Contains("SEARCH tasks USING INDEX sqlite_autoindex_tasks_1", await PlanAsync(new TaskQuery { Ids = ["a"] }), StringComparison.Ordinal);

    [Theory, InlineData(TaskState.Running, "INDEX leased_by"), InlineData(TaskState.SystemError, "INDEX dead")]
    public async Task GetTasks_StateOfFew_GoesByTheIndexOfItsPhase(TaskState state, string index) =>
        Assert.Contains(index, await PlanAsync(new TaskQuery { States = [state] }), StringComparison.Ordinal);

    [Fact]
    public async Task GetTasks_All_NeedNoSorting() =>
        Assert.DoesNotContain("TEMP B-TREE", await PlanAsync(new TaskQuery()), StringComparison.Ordinal);

    [Theory, InlineData(true, "INDEX dead"), InlineData(false, "INDEX sqlite_autoindex_tasks_1")]
    public async Task GetDeadLetters_GoByAnIndex(bool all, string index) =>
        Assert.Contains(index, await PlanAsync(DeadLetters.Statement(all), ("@ids", "[]"), ("@after", 0L), ("@most", 20L)), StringComparison.Ordinal);

    private Task<string> PlanAsync(TaskQuery query) => PlanAsync(TaskList.Statement(query), [.. TaskList.Values(query), ("@after", 0L), ("@most", 500L)]);

    private async Task<string> PlanAsync(string sql, params (string Name, object? Value)[] values)
    {
        await using var queue = new SqliteTaskQueue(_folder["queue.db"], new QueueOptions(), TimeProvider.System);
        return string.Join('\n', await queue.File.ReadAsync(connection => connection.Query("EXPLAIN QUERY PLAN " + sql, row => row.GetString(3), values), Token));
    }
}
