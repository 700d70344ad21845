namespace Sisyphus.Engine.Queues.Sqlite;

/// <summary>What only tests change.</summary>
internal sealed record SqliteSettings
{
    /// <summary>How long something else may hold the file locked, 1 s or more.</summary>
    public TimeSpan LockLimit { get; init; } = TimeSpan.FromSeconds(30);

    public IReadOnlyList<string> Scripts { get; init; } = Schema.Scripts;
}
