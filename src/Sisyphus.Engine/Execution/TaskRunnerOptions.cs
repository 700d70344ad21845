using Sisyphus.Engine.Containers;

namespace Sisyphus.Engine.Execution;

/// <summary>Settings of a <see cref="TaskRunner"/>.</summary>
public sealed class TaskRunnerOptions
{
    public const int DefaultConcurrency = 1;
    public const int MaxConcurrency = 256;
    public const int DefaultTailLines = 20;
    public const int DefaultMaxLineLength = 16 * 1024;
    public const long DefaultInputCacheSize = 20L * 1024 * 1024 * 1024;
    public static readonly TimeSpan DefaultPublishPatience = TimeSpan.FromMinutes(10);
    public static readonly TimeSpan DefaultStopGrace = TimeSpan.FromSeconds(10);

    /// <summary>Slots: tasks that run at a time, 1 to <see cref="MaxConcurrency"/>.</summary>
    public int Concurrency { get; set; } = DefaultConcurrency;
    public PullPolicy PullPolicy { get; set; } = PullPolicy.IfNotPresent;
    /// <summary>Holds workspaces and the input cache; made when it is missing.</summary>
    public string WorkDirectory { get; set; } = "";
    /// <summary>Goes into records and labels; defaults to the machine's name.</summary>
    public string NodeName { get; set; } = Environment.MachineName;
    public NodePolicy Policy { get; set; } = new();
    /// <summary>Between SIGTERM and SIGKILL, 0 s to 10 min.</summary>
    public TimeSpan StopGrace { get; set; } = DefaultStopGrace;
    /// <summary>How long a finished task's outputs are kept and their publication tried again, on top of the time that the task has run; 0 s to 24 h, and 24 h is also the longest together.</summary>
    public TimeSpan PublishPatience { get; set; } = DefaultPublishPatience;
    /// <summary>Lines of each stream kept for the result, 0 to 10,000.</summary>
    public int TailLines { get; set; } = DefaultTailLines;
    /// <summary>Characters of a line in events, log and tail, 80 to 1 MiB; the rest of a longer line is dropped there, never from files.</summary>
    public int MaxLineLength { get; set; } = DefaultMaxLineLength;

    /// <summary>Reports every line that is not redirected to a file as <see cref="OutputLineReceived"/>; a reader that is slower than the task slows the task.</summary>
    public bool ReportOutput { get; set; } = true;
    /// <summary>Bytes that the cache of inputs may hold, 0 or more; what running tasks use stays whatever the limit says.</summary>
    public long InputCacheSize { get; set; } = DefaultInputCacheSize;

    /// <exception cref="ArgumentException">Names the option, its value and the allowed range.</exception>
    public void Validate()
    {
        Require(Concurrency is >= 1 and <= MaxConcurrency, nameof(Concurrency), Concurrency, $"1 to {MaxConcurrency}");
        Require(WorkDirectory.Length > 0 && Path.IsPathFullyQualified(WorkDirectory), nameof(WorkDirectory), WorkDirectory, "an absolute path");
        Require(NodeName.Length is > 0 and <= 128, nameof(NodeName), NodeName, "1 to 128 characters");
        Require(StopGrace >= TimeSpan.Zero && StopGrace <= TimeSpan.FromMinutes(10), nameof(StopGrace), StopGrace, "0 s to 10 min");
        Require(PublishPatience >= TimeSpan.Zero && PublishPatience <= TimeSpan.FromHours(24), nameof(PublishPatience), PublishPatience, "0 s to 24 h");
        Require(TailLines is >= 0 and <= 10_000, nameof(TailLines), TailLines, "0 to 10,000");
        Require(InputCacheSize >= 0, nameof(InputCacheSize), InputCacheSize, "0 or more bytes");
        Require(MaxLineLength is >= 80 and <= 1024 * 1024, nameof(MaxLineLength), MaxLineLength, "80 to 1,048,576");
    }

    private static void Require(bool condition, string name, object value, string allowed)
    {
        if (!condition)
            throw new ArgumentException($"{name} is {value}; allowed: {allowed}.", name);
    }
}
