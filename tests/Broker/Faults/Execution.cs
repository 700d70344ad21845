namespace Sisyphus.Tests.Broker.Faults;

/// <summary>One time that a node ran a task.</summary>
internal sealed record Execution(string Task, string Node)
{
    /// <summary>What the queue said to its end; null while it runs, or when the node was told that the task is another's.</summary>
    public bool? Counted { get; set; }
}
