using Sisyphus.Engine.Tasks;

namespace Sisyphus.Engine.Execution;

/// <summary>How a task ended.</summary>
/// <remarks>Lists are kept as arrays: PowerShell can't index the list types that the compiler makes for collection expressions.</remarks>
public sealed record TaskResult
{
    public required string Id { get; init; }
    public string? Name { get; init; }
    public required TaskState State { get; init; }
    /// <summary>Null exactly when <see cref="State"/> is <see cref="TaskState.Complete"/>.</summary>
    public FailureReason? Reason { get; init; }
    /// <summary>What happened, for a person; empty when all went well.</summary>
    public string Message { get; init; } = "";
    /// <summary>Of each command that ran, in order.</summary>
    public IReadOnlyList<int> ExitCodes { get; init => field = value.ToArray(); } = [];
    public IReadOnlyList<CommandResult> Commands { get; init => field = value.ToArray(); } = [];
    /// <summary>How many attempts were made, from 1; 0 when nothing ran because the store already held the publication.</summary>
    public required int Attempts { get; init; }
    public required DateTimeOffset Started { get; init; }
    public required DateTimeOffset Finished { get; init; }
    public TimeSpan Duration => Finished - Started;
    public required string Image { get; init; }
    /// <summary>Repository digest, or the image's id where it has none; null when the image was never reached.</summary>
    public string? ImageDigest { get; init; }
    public IReadOnlyList<PublishedObject> Outputs { get; init => field = value.ToArray(); } = [];
    /// <summary>The last lines of each stream of all commands, at most <see cref="TaskRunnerOptions.TailLines"/>.</summary>
    public string StandardOutput { get; init; } = "";
    public string StandardError { get; init; } = "";
    /// <summary>Bytes; null where it was not seen.</summary>
    public long? PeakMemory { get; init; }
    public string Node { get; init; } = "";
    /// <summary>Remote path of the attempt's record; null when the task has no output that says where to keep one.</summary>
    public string? Record { get; init; }
}

/// <param name="Command">The arguments joined by blanks, to read.</param>
public sealed record CommandResult(string Command, int ExitCode, DateTimeOffset Started, DateTimeOffset Finished)
{
    public TimeSpan Duration => Finished - Started;
}

/// <param name="RemotePath"><c>bucket:key</c>.</param>
/// <param name="Crc32C">Eight hexadecimal digits.</param>
/// <param name="Sha256">64 hexadecimal digits.</param>
public sealed record PublishedObject(string RemotePath, long Size, string Crc32C, string Sha256);
