namespace Sisyphus.Engine.Execution;

/// <summary>The folder of one running process below the work directory. Holds its workspaces, and a lock that tells the living from the dead.</summary>
/// <remarks>The operating system lets go of the lock when the process ends however it ends, so a folder whose lock can be taken belongs to nobody.</remarks>
internal sealed class RunDirectory : IDisposable
{
    private const string LockName = "lock";
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
        var id = Guid.CreateVersion7().ToString("N");
        var root = Path.Combine(RunsOf(workDirectory), id);
        PrivateFolder.Create(root);
        return new RunDirectory(root, id, new FileStream(Path.Combine(root, LockName), FileMode.CreateNew, FileAccess.ReadWrite, FileShare.None));
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
        if (!_left)
            PrivateFolder.Delete(Root);
    }

    private static string RunsOf(string workDirectory) => Path.Combine(workDirectory, "runs");

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
