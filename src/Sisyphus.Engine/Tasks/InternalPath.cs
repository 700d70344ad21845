using System.Text;

namespace Sisyphus.Engine.Tasks;

/// <summary>Absolute POSIX paths in a container.</summary>
internal static class InternalPath
{
    // PATH_MAX with its final NUL, NAME_MAX: linux/limits.h.
    private const int MaxPathBytes = 4095;
    private const int MaxNameBytes = 255;

    /// <summary>Collapses <c>//</c> and <c>/./</c> and takes a trailing <c>/</c> off.</summary>
    /// <param name="isDirectory">The text ended in <c>/</c>.</param>
    /// <returns>Null, or what is wrong.</returns>
    internal static string? Normalize(string text, out string path, out bool isDirectory)
    {
        path = "";
        isDirectory = text.EndsWith('/') || text.EndsWith("/.", StringComparison.Ordinal);
        if (text.Length == 0)
            return "the internal path is empty: write an absolute path in the container such as \"/mnt/data\"";
        if (text[0] != '/')
        {
            return RemotePath.TryParse(text, out _, out _)
                ? $"\"{text}\" is no path in the container: the remote path comes first, as the key, and the internal path is its value"
                : $"\"{text}\" is not absolute: a path in the container begins with \"/\"";
        }
        if (text.Contains('\0', StringComparison.Ordinal))
            return "a path may not contain a NUL character";
        if (Encoding.UTF8.GetByteCount(text) > MaxPathBytes)
            return $"the path is longer than {MaxPathBytes} bytes";

        if (!text.Contains("/.", StringComparison.Ordinal) && !text.Contains("//", StringComparison.Ordinal) && text.Length <= MaxNameBytes / 3 && !isDirectory)
        {
            path = text;
            return null;
        }
        var segments = text.Split('/').Where(segment => segment is not ("" or ".")).ToList();
        if (segments.Contains(".."))
            return "\"..\" is not allowed in a path";
        if (segments.Exists(segment => Encoding.UTF8.GetByteCount(segment) > MaxNameBytes))
            return $"a name in the path is longer than {MaxNameBytes} bytes";
        path = "/" + string.Join('/', segments);
        return null;
    }

    /// <summary>What keeps a normalised path from being an input, an output or a redirect.</summary>
    internal static string? CheckPlace(string path) => path == "/"
        ? "\"/\" is the whole file system of the container: name a path below it"
        : IsInside(path, "/proc") || IsInside(path, "/sys") || IsInside(path, "/dev")
            ? $"\"{path}\" belongs to the kernel: nothing can be put or kept in /proc, /sys and /dev"
            : null;

    /// <summary><paramref name="path"/> is <paramref name="directory"/> or lies below it; both normalised.</summary>
    internal static bool IsInside(string path, string directory) =>
        path.StartsWith(directory, StringComparison.Ordinal)
        && (path.Length == directory.Length || directory == "/" || path[directory.Length] == '/');
}
