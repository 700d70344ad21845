namespace Sisyphus.Engine.Execution;

/// <summary>What running a document would do, found out without doing any of it.</summary>
public sealed record TaskPlan(string TaskId, string Image, IReadOnlyList<PlanStep> Steps)
{
    // An array: PowerShell can't index the list types that the compiler makes for collection expressions.
    public IReadOnlyList<PlanStep> Steps { get; init => field = value.ToArray(); } = Steps.ToArray();
}

/// <param name="Action">One word: <c>pull</c>, <c>stage</c>, <c>mount</c>, <c>run</c>, <c>publish</c>, <c>limit</c>.</param>
/// <param name="Detail">One sentence for a person, for example <c>sisyphus:data/clear (12 B) -> /mnt/clear, read-only</c>.</param>
public sealed record PlanStep(string Action, string Detail)
{
    public override string ToString() => $"{Action}: {Detail}";
}
