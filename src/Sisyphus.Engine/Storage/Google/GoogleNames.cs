using System.Text;
using System.Text.RegularExpressions;
using Sisyphus.Engine.Tasks;

namespace Sisyphus.Engine.Storage.Google;

/// <summary>Names of buckets and objects: what the service allows, and how they stand in a URL.</summary>
/// <remarks>https://cloud.google.com/storage/docs/buckets#naming, https://cloud.google.com/storage/docs/objects#naming.</remarks>
internal static partial class GoogleNames
{
    private static readonly UTF8Encoding Strict = new(false, throwOnInvalidBytes: true);

    public static bool IsBucket(string name) => Bucket().IsMatch(name);

    /// <summary>Whether there can be such an object.</summary>
    public static bool CanBe(string bucket, string key) => IsBucket(bucket) && Problem(key) is null;

    /// <exception cref="TaskFailureException"><see cref="FailureReason.InvalidDocument"/>: the service can't hold it.</exception>
    public static void RequireKey(string bucket, string key)
    {
        if (Problem(key) is { } problem)
            throw new TaskFailureException(FailureReason.InvalidDocument, $"{bucket}:{key} can't be an object of Google Cloud Storage: {problem}.");
    }

    /// <summary>A part of a path or a value of a query: everything but unreserved characters is encoded.</summary>
    public static string Encode(string text) => Uri.EscapeDataString(text);

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
        if (key is "." or "..")
            return "its name may not be '.' or '..'";
        if (key.AsSpan().ContainsAny('\r', '\n'))
            return "its name may not have a line break";
        return key.StartsWith(".well-known/acme-challenge/", StringComparison.Ordinal) ? "its name may not begin with .well-known/acme-challenge/" : null;
    }

    [GeneratedRegex(@"\A[a-z0-9][a-z0-9._-]{1,220}[a-z0-9]\z")]
    private static partial Regex Bucket();
}
