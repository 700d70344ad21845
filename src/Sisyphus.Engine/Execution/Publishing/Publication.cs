using System.Text.Json;
using Sisyphus.Engine.Tasks;

namespace Sisyphus.Engine.Execution.Publishing;

/// <summary>What the decision of a task says: whose outputs are the task's, and which they are.</summary>
/// <param name="Record">What the winning attempt said of itself; opaque here.</param>
/// <param name="DecisionPath">Remote path of the decision.</param>
/// <param name="IsDone">Every output is at its final place.</param>
internal sealed record Publication(string TaskId, string AttemptId, IReadOnlyList<PublishedObject> Outputs, JsonElement Record, RemotePath DecisionPath, bool IsDone);
