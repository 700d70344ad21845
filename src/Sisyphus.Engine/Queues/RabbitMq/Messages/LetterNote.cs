using Sisyphus.Engine.Tasks;

namespace Sisyphus.Engine.Queues.RabbitMq.Messages;

/// <summary>What a dead letter says beside the ticket and the document.</summary>
internal sealed record LetterNote
{
    /// <summary>Whose letter it is: two may tell of one end, each not knowing of the other.</summary>
    public Guid Writer { get; init; } = Guid.NewGuid();
    public string? Name { get; init; }
    public string? Workflow { get; init; }
    public required TaskState State { get; init; }
    public required FailureReason Reason { get; init; }
    public string Message { get; init; } = "";
    public string LogTail { get; init; } = "";
    public string? Record { get; init; }
    public required DateTimeOffset Finished { get; init; }
}
