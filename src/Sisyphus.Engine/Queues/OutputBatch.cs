namespace Sisyphus.Engine.Queues;

/// <summary>Lines of one task, one after the other, as they go over the queue.</summary>
/// <param name="Source">Tells the attempts of a task apart: each counts its lines for itself.</param>
/// <param name="First">Which line of the attempt the first one is, from 1.</param>
/// <param name="Dropped">Lines left out right before, for who has not read any before.</param>
/// <param name="IsLast">The attempt writes no more.</param>
internal sealed record OutputBatch(string Task, long Source, long First, long Dropped, bool IsLast, OutputText[] Lines);
