using System.Text;
using Sisyphus.Engine.Tasks;

namespace Sisyphus.Engine.Storage.S3;

/// <summary>Which names S3 takes.</summary>
internal static class S3Names
{
    private const int MaxKeyBytes = 1024;
    private static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>Whether a bucket can have the name at all; anything else might lead a request elsewhere.</summary>
    /// <remarks>https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html; older buckets and other servers have upper case, underscores and up to 255 characters.</remarks>
    public static bool IsBucket(string bucket) =>
        bucket.Length is >= 3 and <= 255 && bucket.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '.' or '_') && char.IsAsciiLetterOrDigit(bucket[0]);

    /// <summary>Whether the key's <c>..</c> stay inside of the bucket, which S3 asks for.</summary>
    /// <remarks>Read from left to right there are never more <c>..</c> than other parts (https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html).</remarks>
    public static bool StaysInside(string key)
    {
        var depth = 0;
        foreach (var segment in key.Split('/'))
        {
            depth += segment switch { ".." => -1, "." or "" => 0, _ => 1 };
            if (depth < 0)
                return false;
        }
        return true;
    }

    /// <exception cref="TaskFailureException">No name of an object here.</exception>
    public static void Check(string bucket, string key)
    {
        if (key.Length == 0)
            throw Refused("it is empty");
        int length;
        try
        {
            length = StrictUtf8.GetByteCount(key);
        }
        catch (EncoderFallbackException)
        {
            throw Refused("it is no valid Unicode");
        }
        if (length > MaxKeyBytes)
            throw Refused($"it has {length} bytes, and the limit is {MaxKeyBytes:N0}");
        if (key.Contains('\0', StringComparison.Ordinal))
            throw Refused("servers do not agree on a NUL in it");
        if (!StaysInside(key))
            throw Refused("S3 takes no key whose '..' lead out of the bucket");

        TaskFailureException Refused(string why) => new(FailureReason.InvalidDocument, $"{bucket}:{key} is no name of an object: {why}.");
    }

    /// <summary>Whether <see cref="Check"/> lets the key pass.</summary>
    public static bool IsKey(string key)
    {
        try
        {
            Check("", key);
            return true;
        }
        catch (TaskFailureException)
        {
            return false;
        }
    }

    /// <summary>A key as a listing of <c>encoding-type=url</c> has it: of forms, where a blank is a plus.</summary>
    public static string Decode(string key) => Uri.UnescapeDataString(key.Replace('+', ' '));
}
