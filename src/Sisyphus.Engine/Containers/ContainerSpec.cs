using Sisyphus.Engine.Tasks;

namespace Sisyphus.Engine.Containers;

/// <summary>What a task's container is made of.</summary>
public sealed record ContainerSpec
{
    /// <summary>Image id (<c>sha256:…</c>), so that a tag that moves meanwhile changes nothing.</summary>
    public required string ImageId { get; init; }
    /// <summary>The only command, run as the container's main process; null for a container that waits and runs any number of commands.</summary>
    public TaskCommand? Command { get; init; }
    public IReadOnlyDictionary<string, string> Environment { get; init; } = new Dictionary<string, string>();
    public string? WorkingDirectory { get; init; }
    /// <summary><c>uid[:gid]</c> or a name known in the image; null leaves it to the image.</summary>
    public string? User { get; init; }
    /// <summary>The namespace to join; null for loopback only.</summary>
    public INetworkSandbox? Network { get; init; }
    public TaskResources Resources { get; init; } = TaskResources.Unlimited;
    /// <summary>Read-only bind mounts: existing host path, internal path.</summary>
    public IReadOnlyList<ContainerMount> Mounts { get; init; } = [];
    public IReadOnlyDictionary<string, string> Labels { get; init; } = new Dictionary<string, string>();
}

/// <param name="Source">Absolute path on the engine's host of a file or directory that exists.</param>
/// <param name="Target">Absolute path in the container.</param>
public sealed record ContainerMount(string Source, string Target);
