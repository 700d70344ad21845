using System.Collections.Concurrent;
using Sisyphus.Engine.Queues.RabbitMq.Messages;

namespace Sisyphus.Engine.Queues.RabbitMq.Events;

/// <summary>Whose output somebody reads, as the stream tells it.</summary>
internal sealed class OutputWishes(TimeProvider time)
{
    /// <summary>Until when, by the clock that only goes forward.</summary>
    private readonly ConcurrentDictionary<string, long> _wished = [];

    public bool Has(string task) => _wished.TryGetValue(task, out var until) && time.GetTimestamp() < until;

    /// <param name="isNew">It was written just now, whatever its writer's clock says.</param>
    public bool Apply(LogEntry wish, bool isNew)
    {
        var now = time.GetTimestamp();
        foreach (var (task, until) in _wished)
        {
            if (until <= now)
                _wished.TryRemove(new(task, until));
        }
        var age = isNew ? TimeSpan.Zero : (time.GetUtcNow() - wish.Time).Duration();
        if (wish.Kind != LogEntryKind.OutputWish || age >= OutputWish.Life)
            return false;
        foreach (var task in wish.Tasks!.Take(OutputWish.MostTasks))
            _wished[task] = now + (long)((OutputWish.Life - age).TotalSeconds * time.TimestampFrequency);
        return true;
    }
}
