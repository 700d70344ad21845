using Sisyphus.Engine.Queues.RabbitMq.Messages;

namespace Sisyphus.Engine.Queues.RabbitMq.Events;

/// <summary>A task as the event stream tells it.</summary>
internal sealed record BoardTask
{
    public required TaskSummary Summary { get; init; }
    /// <summary>Of its last claim, from 1; 0 before the first.</summary>
    public long Claims { get; init; }
    /// <summary>Those that did not end well, the last <see cref="Ticket.MaxAttempts"/>; of a ticket that was left behind they are missing.</summary>
    public IReadOnlyList<AttemptSummary> Attempts { get; init; } = [];
    /// <summary>Session of the node that has it; null while none has.</summary>
    public string? Session { get; init; }
    /// <summary>Readers have been told of its end.</summary>
    public bool IsEndTold { get; init; }
    /// <summary>Nobody knows of a sender: its document came from a foreign client.</summary>
    public bool IsForeign { get; init; }
    /// <summary>Its sender was told that it is not sent. It may be all the same, by another sender or a later try: then there is a message, and that counts.</summary>
    public bool IsRefused { get; init; }
    /// <summary>When its end was written.</summary>
    public DateTimeOffset? Ended { get; init; }
    public bool IsHeld => Session is not null;
    /// <summary>Whoever meets its message throws that away.</summary>
    public bool IsOver => Summary.HasEnded && !IsRefused;

    /// <summary>With what is known since this copy of the ticket was written.</summary>
    public Ticket Update(Ticket ticket) => ticket with
    {
        FailedAttempts = Math.Max(ticket.FailedAttempts, Summary.Attempts),
        Losses = Math.Max(ticket.Losses, Summary.Losses),
        Attempts = Attempts.Count > ticket.Attempts.Count ? Attempts : ticket.Attempts,
    };
}
