namespace Sisyphus.Engine.Queues.Sqlite;

/// <summary>A node's name as a locked file beside the queue. The system drops the lock when the process ends, however it ends.</summary>
internal static class NodeLock
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);

    /// <returns>To dispose; null when a living process has the name.</returns>
    public static async Task<FileStream?> TryTakeAsync(string folder, string name, CancellationToken cancellationToken)
    {
        // Whoever looks whether the lock is free holds it for an instant, so one refusal says nothing.
        var since = TimeProvider.System.GetTimestamp();
        while (true)
        {
            try
            {
                return Open(folder, name, FileAccess.ReadWrite, FileShare.None);
            }
            catch (IOException error) when (error is not (DirectoryNotFoundException or PathTooLongException))
            {
                if (TimeProvider.System.GetElapsedTime(since) > Patience)
                    return null;
            }
            await Task.Delay(TimeSpan.FromMilliseconds(Random.Shared.Next(10, 50)), cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Whether nobody has the name any more. Asked of a session that is in the registry, a yes is for ever: a session locks before it registers.</summary>
    public static bool IsFree(string folder, string name)
    {
        try
        {
            using var _ = Open(folder, name, FileAccess.Read, FileShare.Read);
            return true;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            // Also where somebody removed the file: its holder may live, and leases tell in the end.
            return false;
        }
    }

    private static FileStream Open(string folder, string name, FileAccess access, FileShare share)
    {
        var options = new FileStreamOptions { Mode = access == FileAccess.Read ? FileMode.Open : FileMode.OpenOrCreate, Access = access, Share = share, BufferSize = 0 };
        if (access != FileAccess.Read && !OperatingSystem.IsWindows())
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        return new FileStream(Path.Combine(folder, name + ".lock"), options);
    }
}
