namespace Sisyphus.Engine.Tasks.Reading;

/// <summary>Numbers of the reference, <c>docs/task-document.md</c>, section "Limits".</summary>
internal static class Limits
{
    internal const int MaxTextBytes = 64 << 20;
    /// <summary>A document travels in one message of the queue, and into the record.</summary>
    internal const int MaxDocumentBytes = 1 << 20;

    /// <summary>Documents of one text.</summary>
    internal const int MaxDocuments = 100_000;
    /// <summary>Each is compared with every other output and input.</summary>
    internal const int MaxPatterns = 100;

    internal const int MaxNameLength = 256;
    internal const int MaxTagNameLength = 128;
    internal const int MaxTagValueLength = 1024;
    /// <summary>Linux' MAX_ARG_STRLEN (32 pages) without the final NUL: one argument, or one variable as <c>NAME=value</c>.</summary>
    internal const int MaxArgumentBytes = 131_071;

    internal const int MaxRetries = 100;
    internal const int MaxPriority = 9;
    internal const int MaxExitCode = 255;

    /// <summary>A hundredth of a processor; below it the kernel's period is too short.</summary>
    internal const double MinCpus = 0.01;
    internal const double MaxCpus = 1024;
    /// <summary>The Docker Engine refuses less.</summary>
    internal const long MinMemory = 6 << 20;
    internal const long MinSharedMemory = 64 << 10;
    internal const long MinDisk = 1 << 20;
    internal const long MaxSize = 1L << 60;
    internal const int MaxGpus = 1024;
    /// <summary>Linux' PID_MAX_LIMIT on 64-bit machines.</summary>
    internal const long MaxPids = 4_194_304;

    internal static readonly TimeSpan MinTimeout = TimeSpan.FromMilliseconds(1);
    internal static readonly TimeSpan MaxTimeout = TimeSpan.FromDays(30);
}
