namespace Sisyphus.Engine.Queues;

/// <summary>Why a queue can't do what was asked.</summary>
public enum QueueFailure
{
    /// <summary>It does not answer, or something holds it for longer than its time limit.</summary>
    Unavailable,
    /// <summary>Nobody lets us.</summary>
    Denied,
    /// <summary>What is there is no queue of ours.</summary>
    NotAQueue,
    /// <summary>A newer version wrote it.</summary>
    NewerVersion,
    Corrupt,
    /// <summary>No space left where it is kept.</summary>
    Full,
    NodeNameTaken,
    /// <summary>The session was taken off the registry: another process has the name, or it was away for too long.</summary>
    SessionLost,
}
