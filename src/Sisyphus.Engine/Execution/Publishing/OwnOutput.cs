namespace Sisyphus.Engine.Execution.Publishing;

/// <summary>An output of the attempt that decided, in its own hands.</summary>
internal sealed record OwnOutput(OutputFile File, Turn Turn);
