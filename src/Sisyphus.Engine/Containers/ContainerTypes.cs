namespace Sisyphus.Engine.Containers;

/// <param name="Architecture">As the engine names it: <c>x86_64</c>, <c>aarch64</c>.</param>
public sealed record EngineInfo(string Name, string Version, string OperatingSystem, string Architecture, int Cpus, long Memory);

/// <param name="Id"><c>sha256:…</c> of the image's configuration.</param>
/// <param name="Digest">Repository digest (<c>name@sha256:…</c>), or null for an image that never was in a registry.</param>
/// <param name="Architecture">As in the image: <c>amd64</c>, <c>arm64</c>.</param>
public sealed record ImageInfo(string Reference, string Id, string? Digest, string Architecture);

/// <summary>When to pull, as in Kubernetes.</summary>
public enum PullPolicy
{
    IfNotPresent,
    Always,
    Never,
}

/// <param name="Status">What the engine says it is doing.</param>
/// <param name="TotalBytes">0 as long as it is not known.</param>
public readonly record struct PullProgress(string Status, long Bytes, long TotalBytes);

public enum ContainerPathKind
{
    File,
    Directory,
    SymbolicLink,
    Other,
}

/// <param name="Mode">Permission bits, 0 to 07777.</param>
public sealed record ContainerPathInfo(ContainerPathKind Kind, long Size, UnixFileMode Mode);

/// <param name="ExitCode">0 to 255; 128 + n after signal n.</param>
/// <param name="OutOfMemory">The kernel killed a process of the container for memory while the command ran.</param>
public sealed record CommandExit(int ExitCode, bool OutOfMemory, DateTimeOffset Started, DateTimeOffset Finished);
