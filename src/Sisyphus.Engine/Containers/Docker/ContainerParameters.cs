using Docker.DotNet.Models;

using Sisyphus.Engine.Tasks;

namespace Sisyphus.Engine.Containers.Docker;

/// <summary>What the engine is asked for: a task's container, and the sandbox it may join.</summary>
internal static class ContainerParameters
{
    /// <summary>Processes and threads where the document sets no limit: enough for every build, far from what hurts a host.</summary>
    public const long DefaultPids = 4096;

    private const long SandboxMemory = 32L << 20;
    private const long SandboxPids = 16;

    /// <param name="engineCpus">The engine refuses a limit above what it has.</param>
    /// <param name="limitDisk">False where the storage driver has no quota.</param>
    public static CreateContainerParameters OfTask(ContainerSpec spec, int engineCpus, bool limitDisk)
    {
        var parameters = Closed(spec.ImageId, spec.Labels);
        parameters.Entrypoint = spec.Command is { } command ? [.. command.Arguments] : [WaitProgram.Path];
        parameters.Env = [.. Variables(spec)];
        parameters.WorkingDir = spec.WorkingDirectory ?? "";
        parameters.User = spec.User ?? "";
        if (spec.Command is not null)
            (parameters.AttachStdin, parameters.AttachStdout, parameters.AttachStderr, parameters.OpenStdin, parameters.StdinOnce) = (true, true, true, true, true);
        var host = parameters.HostConfig!;
        host.NetworkMode = spec.Network is { } network ? "container:" + network.ContainerId : "none";
        host.Mounts = [.. spec.Mounts.Select(m => new Mount { Type = "bind", Source = m.Source, Target = m.Target, ReadOnly = true })];
        Limit(host, spec.Resources, engineCpus, limitDisk);
        return parameters;
    }

    /// <param name="blockMetadata">The waiting program first sets its reject routes, for which it alone gets the right.</param>
    public static CreateContainerParameters OfSandbox(string imageId, IReadOnlyDictionary<string, string> labels, bool blockMetadata)
    {
        var parameters = Closed(imageId, labels);
        parameters.Entrypoint = blockMetadata ? [WaitProgram.Path, WaitProgram.BlockMetadata] : [WaitProgram.Path];
        parameters.AttachStdout = true;
        var host = parameters.HostConfig!;
        host.NetworkMode = "bridge";
        host.CapAdd = blockMetadata ? ["NET_ADMIN"] : [];
        host.ReadonlyRootfs = true;
        host.Memory = host.MemorySwap = SandboxMemory;
        host.PidsLimit = SandboxPids;
        return parameters;
    }

    public static IEnumerable<string> Variables(ContainerSpec spec) => spec.Environment.Select(v => $"{v.Key}={v.Value}");

    private static CreateContainerParameters Closed(string imageId, IReadOnlyDictionary<string, string> labels) => new()
    {
        Image = imageId,
        Labels = new Dictionary<string, string>(labels),
        Tty = false,
        StopSignal = "SIGTERM",
        // An image's own health check would run beside the task for nothing.
        Healthcheck = new() { Test = ["NONE"] },
        HostConfig = new()
        {
            CapDrop = ["ALL"],
            SecurityOpt = ["no-new-privileges"],
            IpcMode = "private",
            LogConfig = new() { Type = "none", Config = new Dictionary<string, string>() },
            AutoRemove = false,
        },
    };

    private static void Limit(HostConfig host, TaskResources resources, int engineCpus, bool limitDisk)
    {
        host.PidsLimit = resources.Pids ?? DefaultPids;
        if (resources.Memory is { } memory)
            host.Memory = host.MemorySwap = memory;
        if (resources.Cpus is { } cpus && cpus < engineCpus)
            host.NanoCPUs = (long)Math.Round(cpus * 1e9);
        if (resources.SharedMemory is { } shared)
            host.ShmSize = shared;
        if (resources.Gpus is { } gpus and > 0)
            host.DeviceRequests = [new() { Count = gpus, Capabilities = [["gpu"]], DeviceIDs = [], Options = new Dictionary<string, string>() }];
        if (limitDisk && resources.Disk is { } disk)
            host.StorageOpt = new Dictionary<string, string> { ["size"] = disk.ToString(System.Globalization.CultureInfo.InvariantCulture) };
    }
}
