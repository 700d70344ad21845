namespace Sisyphus.Engine.Queues.Sqlite;

/// <summary>Tells the other processes of a queue that something was committed: each topic has a small file beside the queue, which is written to and watched.</summary>
/// <remarks>SQLite itself tells nobody. A signal may get lost (a watcher overflows, the system has no more of them), so who waits looks by himself too, once a <see cref="Patience"/>.</remarks>
internal sealed class WakeSignals(string folder) : IDisposable
{
    private static readonly Topics[] All = [Topics.Tasks, Topics.Events, Topics.Orders, Topics.OutputWishes, Topics.Output];
    private static readonly TimeSpan Slow = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Unwatched = TimeSpan.FromMilliseconds(80);

    private readonly Dictionary<Topics, Pulse> _pulses = All.ToDictionary(topic => topic, _ => new Pulse());
    private readonly Lock _gate = new();
    private FileSystemWatcher? _watcher;
    private volatile bool _watches;
    private bool _disposed;

    /// <summary>How long to wait for a signal before looking.</summary>
    public TimeSpan Patience => _watches ? Slow : Unwatched;

    public Task Next(Topics topic)
    {
        Watch();
        return _pulses[topic].Next;
    }

    public void Raise(Topics topics)
    {
        foreach (var topic in All.Where(topic => topics.HasFlag(topic)))
        {
            _pulses[topic].Beat();
            Touch(topic);
        }
    }

    public void Dispose()
    {
        lock (_gate)
        {
            _disposed = true;
            _watcher?.Dispose();
            _watcher = null;
        }
        foreach (var pulse in _pulses.Values)
            pulse.Beat();
    }

    private void Touch(Topics topic)
    {
        try
        {
            // Shared with everybody: .NET would lock the file for any other kind of sharing.
            using var file = new FileStream(Path.Combine(folder, topic.ToString()), FileMode.OpenOrCreate, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
            file.WriteByte(0);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            // What was committed stays committed; the others find it when they look by themselves.
        }
    }

    private void Watch()
    {
        if (_watches)
            return;
        lock (_gate)
        {
            if (_watches || _disposed)
                return;
            _watcher?.Dispose();
            _watcher = null;
            try
            {
                _watcher = new FileSystemWatcher(folder) { NotifyFilter = NotifyFilters.LastWrite | NotifyFilters.FileName };
                _watcher.Changed += OnChanged;
                _watcher.Created += OnChanged;
                _watcher.Error += OnError;
                _watcher.EnableRaisingEvents = true;
                _watches = true;
            }
            catch (Exception error) when (error is IOException or ArgumentException or UnauthorizedAccessException)
            {
                // The system has no watchers left (inotify's limits) or the folder is gone: looking more often does instead.
                _watcher?.Dispose();
                _watcher = null;
            }
        }
    }

    private void OnChanged(object sender, FileSystemEventArgs change)
    {
        if (Enum.TryParse<Topics>(change.Name, out var topic) && _pulses.TryGetValue(topic, out var pulse))
            pulse.Beat();
    }

    private void OnError(object sender, ErrorEventArgs error)
    {
        _watches = false;
        foreach (var pulse in _pulses.Values)
            pulse.Beat();
    }
}
