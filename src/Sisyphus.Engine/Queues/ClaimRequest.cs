namespace Sisyphus.Engine.Queues;

/// <summary>What a node has room for.</summary>
/// <param name="Cpus">Free processors; a task without the limit needs none.</param>
/// <param name="Memory">Free bytes, likewise.</param>
/// <param name="Workflows">Only tasks of these workflows; none for every task.</param>
public sealed record ClaimRequest(double Cpus, long Memory, IReadOnlyList<string> Workflows)
{
    public static ClaimRequest Anything { get; } = new(double.PositiveInfinity, long.MaxValue, []);
}
