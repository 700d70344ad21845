namespace Sisyphus.Engine.Queues;

/// <summary>Which events; what is empty or null does not choose.</summary>
public sealed record EventQuery
{
    /// <summary>Events after this one; 0 from the oldest that is kept, null only those to come.</summary>
    public long? After { get; init; } = 0;
    /// <summary>Events of these tasks only.</summary>
    public IReadOnlyList<string> TaskIds { get; init; } = [];
    /// <summary>Goes on with what happens.</summary>
    public bool Follow { get; init; }
}
