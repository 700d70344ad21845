namespace Sisyphus.Engine.Containers.Docker;

/// <summary>An image reference, as far as we must understand it; the engine judges the rest.</summary>
internal static class ImageReference
{
    /// <summary>With <c>:latest</c> where neither tag nor digest is given: without one the engine's API pulls every tag.</summary>
    public static string WithTag(string reference) => HasTag(reference) || IsDigested(reference) || IsId(reference) ? reference : reference + ":latest";

    /// <summary>An image's own id, which no registry can be asked for.</summary>
    public static bool IsId(string reference) => reference.StartsWith("sha256:", StringComparison.Ordinal);

    /// <summary>Registry and repository, without tag and digest.</summary>
    public static string Repository(string reference)
    {
        var name = reference.Split('@')[0];
        return HasTag(name) ? name[..name.LastIndexOf(':')] : name;
    }

    // A colon before the last slash belongs to the registry's port.
    private static bool HasTag(string reference)
    {
        var name = reference.Split('@')[0];
        return name.LastIndexOf(':') > name.LastIndexOf('/');
    }

    private static bool IsDigested(string reference) => reference.Contains('@', StringComparison.Ordinal);
}
