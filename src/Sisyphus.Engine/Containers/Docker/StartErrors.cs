using Sisyphus.Engine.Tasks;

namespace Sisyphus.Engine.Containers.Docker;

/// <summary>Why the runtime could not start a program: it answers with sentences only, alike for a container's main process and for exec.</summary>
internal static class StartErrors
{
    /// <summary>How the text begins that takes the place of a program's output when exec fails.</summary>
    public const string ExecPrefix = "OCI runtime exec failed: ";

    /// <summary>The failure behind the sentence; null when it is about something else than the task's own settings.</summary>
    public static TaskFailureException? Describe(string sentence, TaskCommand command, ContainerSpec spec, string image, Exception? cause)
    {
        var program = command.Arguments[0];
        if (Has("unable to find user") || Has("unable to find group") || Has("no matching entries in passwd file") || Has("no matching entries in group file") || Has("invalid user") || Has("uids and gids must be in range"))
            return Executor($"The user \"{spec.User}\" is not known in the image {image}. Use a number (uid or uid:gid) or a name from its /etc/passwd.");
        if (Has("executable file not found") || (Has("no such file or directory") && Has("exec: ")))
            return Executor($"The program \"{program}\" does not exist in the image {image} (exit code 127).");
        if (Has("permission denied") && (Has("exec: ") || Has("exec user process")) || Has("is a directory: unknown") || Has("exec format error"))
            return Executor($"\"{program}\" in the image {image} can't be executed (exit code 126): {Tail()}.");
        if (Has("Cannot mkdir") || Has("chdir to cwd") || Has("mkdir /") || Has("Cwd must be an absolute path") || Has("working directory"))
            return Executor($"The working directory \"{spec.WorkingDirectory}\" can't be used in the image {image}: {Tail()}.");
        if (Has("argument list too long"))
            return Executor($"The arguments and the environment of \"{program}\" are longer than the system allows (exit code 126).");
        if (Has("OOM-killed") || Has("memory limit too low"))
            return new(FailureReason.OutOfMemory, $"The memory limit of {spec.Resources.Memory} bytes is too small to start \"{program}\" at all.", cause);
        if (Has("could not select device driver"))
            return new(FailureReason.EngineUnavailable, $"The container engine has no GPUs to give: {sentence} (NVIDIA: install the container toolkit.)", cause);
        if (Has("bind source path does not exist") || Has("invalid mount config"))
            return new(FailureReason.EngineUnavailable, $"The container engine does not see this machine's files: {sentence}. It must run on the same machine, and (Docker Desktop) share the folder.", cause);
        return null;

        bool Has(string part) => sentence.Contains(part, StringComparison.OrdinalIgnoreCase);

        TaskFailureException Executor(string message) => new(FailureReason.ExecutorExit, message, cause);

        string Tail()
        {
            var text = sentence.Replace(": unknown", "", StringComparison.Ordinal).Trim();
            var colon = text.LastIndexOf(": ", StringComparison.Ordinal);
            return colon < 0 ? text : text[(colon + 2)..];
        }
    }
}
