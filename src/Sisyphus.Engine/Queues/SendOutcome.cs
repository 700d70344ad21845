namespace Sisyphus.Engine.Queues;

/// <summary>What became of one task of a batch.</summary>
/// <param name="Message">For a person; empty when it was sent.</param>
public sealed record SendOutcome(string TaskId, SendResult Result, string Message = "");

public enum SendResult
{
    /// <summary>On durable storage.</summary>
    Sent,
    /// <summary>The queue knows a task of that id: nothing was changed.</summary>
    AlreadySent,
    /// <summary>The queue would not take it; the message says why.</summary>
    Refused,
    /// <summary>Nobody can say: it was not confirmed in time.</summary>
    Unknown,
}
