using Sisyphus.Engine.Storage.Directories;

namespace Sisyphus.Engine.Execution;

/// <summary>The folder of one running process below the work directory. Holds its workspaces, and a lock that tells the living from the dead.</summary>
/// <remarks>The operating system lets go of the lock when the process ends however it ends, so a folder whose lock can be taken belongs to nobody.</remarks>
internal sealed class RunDirectory : IDisposable
{
    private const string LockName = "lock";
    private const int MaxTries = 100;
    private readonly FileStream _lock;
    private volatile bool _left;

    private RunDirectory(string root, string id, FileStream @lock)
    {
        Root = root;
        Id = id;
        _lock = @lock;
    }

    /// <summary>Unique to this process's run; containers carry it as a label.</summary>
    public string Id { get; }
    public string Root { get; }

    public static RunDirectory Create(string workDirectory)
    {
        for (var tries = 1; ; tries++)
        {
            var id = Guid.CreateVersion7().ToString("N");
            var root = Path.Combine(RunsOf(workDirectory), id);
            PrivateFolder.Create(root);
            // Another process that starts at this moment may take the folder, which has no lock yet, for a dead one's.
            if (TryLockOwn(root, isLast: tries == MaxTries) is { } held)
                return new RunDirectory(root, id, held);
        }
    }

    /// <summary>The runs that ended without tidying up. Their folders stay until <see cref="Abandoned.Remove"/>, so that a sweep that fails half-way is repeated.</summary>
    public static IEnumerable<Abandoned> FindAbandoned(string workDirectory)
    {
        if (!Directory.Exists(RunsOf(workDirectory)))
            yield break;
        foreach (var root in Directory.EnumerateDirectories(RunsOf(workDirectory)))
        {
            if (TryLock(root) is { } held)
                yield return new Abandoned(root, Path.GetFileName(root), held);
        }
    }

    /// <summary>A container could not be removed. The folder stays, so that the next process on this work directory tries again.</summary>
    public void LeaveForSweep() => _left = true;

    public void Dispose()
    {
        _lock.Dispose();
        if (_left)
            return;
        try
        {
            PrivateFolder.Delete(Root);
        }
        catch (IOException)
        {
            // Another process that starts at this moment has found it without its owner, and removes it; what it leaves the next one does.
        }
    }

    private static string RunsOf(string workDirectory) => Path.Combine(workDirectory, "runs");

    /// <returns>Null when it is being removed.</returns>
    private static FileStream? TryLockOwn(string root, bool isLast)
    {
        var path = Path.Combine(root, LockName);
        try
        {
            var held = new FileStream(path, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.None);
            // The file comes before its lock: in between it may have been locked and deleted.
            if (FileIdentity.Find(path) is { } there && there == FileIdentity.Find(held.SafeFileHandle, path))
                return held;
            held.Dispose();
            return isLast ? throw new IOException($"{root} is removed as soon as it is made.") : null;
        }
        catch (IOException) when (!isLast)
        {
            return null;
        }
    }

    private static FileStream? TryLock(string root)
    {
        try
        {
            return new FileStream(Path.Combine(root, LockName), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    internal sealed class Abandoned(string root, string id, FileStream held) : IDisposable
    {
        public string Id { get; } = id;

        /// <summary>Attempts that had not ended.</summary>
        public IEnumerable<AttemptJournal> Attempts() => Directory.EnumerateDirectories(root).Select(AttemptJournal.Read).OfType<AttemptJournal>();

        public void Remove() => PrivateFolder.Delete(root);

        public void Dispose() => held.Dispose();
    }
}
