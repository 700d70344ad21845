namespace Sisyphus.Engine.Containers.Docker;

/// <summary>How long a pull is tried before the task hears of it. Retries of the task come on top.</summary>
internal sealed class PullOptions
{
    public static readonly TimeSpan DefaultBudget = TimeSpan.FromSeconds(60);
    public static readonly TimeSpan DefaultBaseDelay = TimeSpan.FromSeconds(1);
    public static readonly TimeSpan DefaultMaxDelay = TimeSpan.FromSeconds(15);
    public static readonly TimeSpan DefaultSilence = TimeSpan.FromMinutes(5);

    /// <summary>No new try begins later than this after the first failure. 0 (one try) to 1 h.</summary>
    public TimeSpan Budget { get; init; } = DefaultBudget;

    /// <summary>The first pause; doubled each time.</summary>
    public TimeSpan BaseDelay { get; init; } = DefaultBaseDelay;

    public TimeSpan MaxDelay { get; init; } = DefaultMaxDelay;

    /// <summary>A try that brings no message for so long is given up.</summary>
    public TimeSpan Silence { get; init; } = DefaultSilence;

    /// <exception cref="ArgumentOutOfRangeException">Names the option, the value and the range.</exception>
    public PullOptions Validate()
    {
        Check(Budget, TimeSpan.Zero, TimeSpan.FromHours(1), nameof(Budget));
        Check(BaseDelay, TimeSpan.FromMilliseconds(1), TimeSpan.FromMinutes(1), nameof(BaseDelay));
        Check(MaxDelay, BaseDelay, TimeSpan.FromMinutes(10), nameof(MaxDelay));
        Check(Silence, TimeSpan.FromSeconds(1), TimeSpan.FromHours(1), nameof(Silence));
        return this;
    }

    private static void Check(TimeSpan value, TimeSpan min, TimeSpan max, string name)
    {
        if (value < min || value > max)
            throw new ArgumentOutOfRangeException(name, value, $"{name} is {value}; it has to be from {min} to {max}.");
    }
}
