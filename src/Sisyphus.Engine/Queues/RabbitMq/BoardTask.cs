namespace Sisyphus.Engine.Queues.RabbitMq;

/// <summary>A task as the event stream tells it.</summary>
internal sealed record BoardTask
{
    public const int MaxAttempts = 50;

    public required TaskSummary Summary { get; init; }
    /// <summary>Of its last claim, from 1; 0 before the first.</summary>
    public long Claims { get; init; }
    /// <summary>Those that did not end well, the last <see cref="MaxAttempts"/>; of a ticket that was left behind they are missing.</summary>
    public IReadOnlyList<AttemptSummary> Attempts { get; init; } = [];
    /// <summary>Session of the node that has it; null while none has.</summary>
    public string? Session { get; init; }
    /// <summary>Readers have been told of its end.</summary>
    public bool IsEndTold { get; init; }
    /// <summary>Nobody knows of a sender: its document came from a foreign client.</summary>
    public bool IsForeign { get; init; }
    /// <summary>When its end was written.</summary>
    public DateTimeOffset? Ended { get; init; }
    public bool IsHeld => Session is not null;
}
