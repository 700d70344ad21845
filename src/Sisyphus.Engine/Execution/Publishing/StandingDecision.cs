using Sisyphus.Engine.Storage;

namespace Sisyphus.Engine.Execution.Publishing;

/// <summary>A decision as it was found.</summary>
/// <param name="Object">Whose generation tells whether it still is the same.</param>
internal sealed record StandingDecision(Decision Decision, ObjectInfo Object);
