namespace Sisyphus.Tests.Unit.Queues;

/// <summary>The system's clock, but its wall clock can be set; what measures durations goes on undisturbed, as on a real machine.</summary>
internal sealed class ShiftedClock : TimeProvider
{
    public TimeSpan Shift { get; set; }

    public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + Shift;
}
