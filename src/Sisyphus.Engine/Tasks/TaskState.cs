namespace Sisyphus.Engine.Tasks;

/// <summary>The states of GA4GH TES 1.1 that a Sisyphus task goes through (https://ga4gh.github.io/task-execution-schemas/).</summary>
public enum TaskState
{
    Queued,
    /// <summary>Taken by a node: image and inputs are on their way.</summary>
    Initializing,
    Running,
    /// <summary>Every command ended well and every output is published.</summary>
    Complete,
    /// <summary>The task's own commands are the cause: an exit code, the memory or time limit, an output that is missing or unsafe.</summary>
    ExecutorError,
    /// <summary>Anything else went wrong.</summary>
    SystemError,
    Canceled,
}
