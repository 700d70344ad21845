using Sisyphus.Engine.Tasks;

namespace Sisyphus.Engine.Queues;

/// <summary>Which tasks; what is empty or null does not choose.</summary>
public sealed record TaskQuery
{
    public IReadOnlyList<string> Ids { get; init; } = [];
    public IReadOnlyList<TaskState> States { get; init; } = [];
    public string? Workflow { get; init; }
    public string? Node { get; init; }
    /// <summary>Only the last so many.</summary>
    public int? Last { get; init; }
}
