using System.Text;
using System.Text.RegularExpressions;
using Sisyphus.Engine.Tasks;

namespace Sisyphus.Engine.Storage.Azure;

/// <summary>Names of containers and blobs: what the service allows and every client on the way keeps as it is.</summary>
/// <remarks>https://learn.microsoft.com/rest/api/storageservices/naming-and-referencing-containers--blobs--and-metadata.</remarks>
internal static partial class AzureNames
{
    private const int MaxSegments = 254;
    private static readonly UTF8Encoding Strict = new(false, throwOnInvalidBytes: true);

    public static bool IsContainer(string name) => name.Length is >= 3 and <= 63 && Container().IsMatch(name);

    /// <summary>Whether there can be such a blob.</summary>
    public static bool CanBe(string container, string key) => IsContainer(container) && Problem(key) is null;

    /// <exception cref="TaskFailureException"><see cref="FailureReason.InvalidDocument"/>: the service can't hold it.</exception>
    public static void RequireKey(string container, string key)
    {
        if (Problem(key) is { } problem)
            throw new TaskFailureException(FailureReason.InvalidDocument, $"{container}:{key} can't be a blob of Azure: {problem}.");
    }

    private static string? Problem(string key)
    {
        try
        {
            if (Strict.GetByteCount(key) is < 1 or > RemotePath.MaxKeyBytes)
                return $"its name has to have 1 to {RemotePath.MaxKeyBytes} bytes";
        }
        catch (EncoderFallbackException)
        {
            return "its name has half a character (a surrogate without the other)";
        }
        if (key.Any(character => char.IsControl(character) || character is '\uFFFE' or '\uFFFF'))
            return "its name may not have control characters";
        if (key.Contains('\\', StringComparison.Ordinal))
            return "its name may not have a '\\', which the service takes for a '/'";
        var segments = key.Split('/');
        if (segments.Length > MaxSegments)
            return $"its name has more than {MaxSegments} parts between slashes";
        // "No path segments should end with a dot": on the way they are taken for folders, or fall off.
        return segments.Any(segment => segment.EndsWith('.')) ? "no part of its name between slashes may end with a '.'" : null;
    }

    [GeneratedRegex(@"\A(?:\$root|\$web|[a-z0-9]+(?:-[a-z0-9]+)*)\z")]
    private static partial Regex Container();
}
