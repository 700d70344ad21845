namespace Sisyphus.Engine.Queues.Sqlite;

/// <summary>Where a task is, as the file's indexes know it.</summary>
internal static class Phase
{
    public const int Ready = 0;
    public const int Delayed = 1;
    public const int Leased = 2;
    /// <summary>Complete or canceled.</summary>
    public const int Ended = 3;
    public const int Dead = 4;
}
