using Sisyphus.Engine.Queues.RabbitMq.Messages;
using Sisyphus.Engine.Tasks;

namespace Sisyphus.Engine.Queues.RabbitMq.Leasing;

/// <summary>A task that this session has leased.</summary>
/// <param name="document">As it was sent.</param>
internal sealed class HeldTask(Ticket ticket, ReadOnlyMemory<byte> document, TaskDocument task)
{
    public string Id => Ticket.Id;

    public ReadOnlyMemory<byte> Document => document;

    public TaskDocument Task => task;

    /// <summary>Of the last lease that the broker confirmed.</summary>
    public Ticket Ticket { get; set; } = ticket;

    public HoldState State { get; set; } = HoldState.Claiming;

    /// <summary>One change at a time.</summary>
    public SemaphoreSlim One { get; } = new(1, 1);

    /// <summary>When its holder last wished to keep it, by the clock that only goes forward.</summary>
    public long Wanted { get; set; }

    /// <summary>When the event stream was last told who has it.</summary>
    public DateTimeOffset Told { get; set; }

    /// <summary>It was found not renewed in time once.</summary>
    public bool IsSuspect { get; set; }

    /// <summary>The end that was written and not heard of, and the claim that it is the end of.</summary>
    public (TaskState State, long Claims)? Ending { get; set; }

    /// <summary>The copy on the lease queue that is delivered to us and not acknowledged.</summary>
    public LeaseCopy? Copy { get; set; }
}
