namespace Sisyphus.Engine.Google;

/// <summary>What a login was found by. Another one now: a script has set a variable, or somebody has logged in.</summary>
/// <param name="Places">Which variables and folders say where to look.</param>
/// <param name="Stamp">Of the file that is there; null where there is none.</param>
internal sealed record GoogleLoginState(string Places, (DateTime Written, long Length)? Stamp)
{
    /// <summary>As it is now: a few microseconds, because it is looked at before each request.</summary>
    public static GoogleLoginState Of(GoogleSurroundings surroundings)
    {
        var file = surroundings.Set(GoogleLoginFinder.FileVariable);
        return new(string.Join('\n', file, surroundings.LoginFile, surroundings.Set("GOOGLE_CLOUD_QUOTA_PROJECT")), StampOf(file ?? surroundings.LoginFile));
    }

    private static (DateTime Written, long Length)? StampOf(string file)
    {
        if (!File.Exists(file))
            return null;
        try
        {
            // By its handle: of a symbolic link the times would be the link's own.
            using var handle = File.OpenHandle(file);
            return (File.GetLastWriteTimeUtc(handle), RandomAccess.GetLength(handle));
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException or NotSupportedException)
        {
            return null;
        }
    }
}
