using System.Collections.Concurrent;
using System.Diagnostics;
using Microsoft.Data.Sqlite;

namespace Sisyphus.Engine.Queues.Sqlite;

/// <summary>The database file: opened at its first use, one writing connection, a few reading ones; everything that blocks happens on other threads than the caller's.</summary>
internal sealed class QueueFile : IAsyncDisposable
{
    /// <summary>Waiting for a lock is done by SQLite in portions of this, so that the caller can give up in between. Not shorter: below a second SqliteCommand adds waits of 150 ms of its own.</summary>
    private const int BusyMilliseconds = 1000;
    private const int IdleReaders = 2;

    private readonly IReadOnlyList<string> _scripts;
    private readonly TimeSpan _lockLimit;
    private readonly SemaphoreSlim _writing = new(1);
    private readonly SemaphoreSlim _preparing = new(1);
    private readonly ConcurrentBag<QueueConnection> _readers = [];
    private QueueConnection? _writer;
    private volatile bool _prepared;
    private volatile bool _disposed;

    public QueueFile(string path, SqliteSettings settings)
    {
        FilePath = path;
        NodesFolder = path + ".nodes";
        _lockLimit = settings.LockLimit;
        _scripts = settings.Scripts;
        Signals = new WakeSignals(path + ".wake");
    }

    public string FilePath { get; }

    public string NodesFolder { get; }

    public WakeSignals Signals { get; }

    public int Version => _scripts.Count;

    /// <summary>One transaction, durable when it returns. It is not given up once it began: a token that is canceled only ends the waiting for it.</summary>
    public async Task<T> WriteAsync<T>(Func<QueueConnection, T> work, CancellationToken cancellationToken)
    {
        await PrepareAsync(cancellationToken).ConfigureAwait(false);
        await _writing.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            return await Task.Run(() => Write(work, cancellationToken), CancellationToken.None).ConfigureAwait(false);
        }
        finally
        {
            _writing.Release();
        }
    }

    /// <summary>One look at a consistent state.</summary>
    public async Task<T> ReadAsync<T>(Func<QueueConnection, T> work, CancellationToken cancellationToken)
    {
        await PrepareAsync(cancellationToken).ConfigureAwait(false);
        return await Task.Run(() => Read(work, cancellationToken), CancellationToken.None).ConfigureAwait(false);
    }

    public async Task PrepareAsync(CancellationToken cancellationToken)
    {
        ObjectDisposedException.ThrowIf(_disposed, typeof(ITaskQueue));
        if (_prepared)
            return;
        await _preparing.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            if (!_prepared)
                await Task.Run(() => Guarded(() => Prepare(cancellationToken)), CancellationToken.None).ConfigureAwait(false);
            _prepared = true;
        }
        finally
        {
            _preparing.Release();
        }
    }

    public async ValueTask DisposeAsync()
    {
        _disposed = true;
        Signals.Dispose();
        await _writing.WaitAsync().ConfigureAwait(false);
        _writer?.Dispose();
        _writer = null;
        _writing.Release();
        while (_readers.TryTake(out var reader))
            reader.Dispose();
    }

    private T Write<T>(Func<QueueConnection, T> work, CancellationToken cancellationToken)
    {
        ObjectDisposedException.ThrowIf(_disposed, typeof(ITaskQueue));
        return Guarded(() =>
        {
            var connection = _writer ??= Patiently(Open, cancellationToken);
            var done = false;
            try
            {
                Begin(connection, "BEGIN IMMEDIATE", cancellationToken);
                connection.ForgetWakes();
                var result = work(connection);
                connection.Execute("COMMIT");
                done = true;
                Signals.Raise(connection.Wakes);
                return result;
            }
            finally
            {
                if (!done)
                {
                    // Closing rolls back, and a connection that saw an error is not worth its doubts.
                    _writer = null;
                    connection.Dispose();
                }
            }
        });
    }

    private T Read<T>(Func<QueueConnection, T> work, CancellationToken cancellationToken) =>
        Guarded(() => Patiently(() => ReadOnce(work), cancellationToken));

    private T ReadOnce<T>(Func<QueueConnection, T> work)
    {
        if (!_readers.TryTake(out var connection))
            connection = Open();
        var done = false;
        try
        {
            connection.Execute("BEGIN");
            var result = work(connection);
            connection.Execute("COMMIT");
            done = true;
            return result;
        }
        finally
        {
            if (done && !_disposed && _readers.Count < IdleReaders)
                _readers.Add(connection);
            else
                connection.Dispose();
        }
    }

    private void Prepare(CancellationToken cancellationToken)
    {
        var folder = Path.GetDirectoryName(FilePath)!;
        CreatePrivate(folder);
        if (!Directory.Exists(FilePath) && !File.Exists(FilePath))
            CreateEmpty();
        FileHeader.Check(FilePath, Version);
        using (var connection = Open())
        {
            Migrate(connection, cancellationToken);
            Patiently(() => connection.Scalar("PRAGMA journal_mode = WAL"), cancellationToken);
        }
        CreatePrivate(NodesFolder);
        CreatePrivate(FilePath + ".wake");
    }

    private void Migrate(QueueConnection connection, CancellationToken cancellationToken)
    {
        Patiently(() => connection.Long("SELECT count(*) FROM sqlite_schema"), cancellationToken);
        if (connection.Long("PRAGMA application_id") == Schema.ApplicationId && connection.Long("PRAGMA user_version") == Version)
            return;
        Begin(connection, "BEGIN IMMEDIATE", cancellationToken);
        if (connection.Long("PRAGMA application_id") != Schema.ApplicationId && connection.Long("SELECT count(*) FROM sqlite_schema") > 0)
            throw SqliteFailures.NotAQueue(FilePath, "it is a database of another program");
        var version = connection.Long("PRAGMA user_version");
        if (version > Version)
            throw SqliteFailures.NewerVersion(FilePath, version, Version);
        foreach (var script in _scripts.Skip((int)version))
            connection.Run(script);
        connection.Run($"PRAGMA application_id = {Schema.ApplicationId}; PRAGMA user_version = {Version}; COMMIT;");
    }

    private QueueConnection Open()
    {
        var connection = new SqliteConnection(new SqliteConnectionStringBuilder
        {
            DataSource = FilePath,
            Mode = SqliteOpenMode.ReadWrite,
            Pooling = false,
            DefaultTimeout = 1,
        }.ConnectionString);
        try
        {
            connection.Open();
            var opened = new QueueConnection(connection);
            opened.Run($"PRAGMA busy_timeout = {BusyMilliseconds}; PRAGMA synchronous = FULL; PRAGMA temp_store = MEMORY;");
            return opened;
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    private void Begin(QueueConnection connection, string statement, CancellationToken cancellationToken) =>
        Patiently(() => connection.Execute(statement), cancellationToken);

    private T Patiently<T>(Func<T> action, CancellationToken cancellationToken)
    {
        var since = Stopwatch.GetTimestamp();
        while (true)
        {
            cancellationToken.ThrowIfCancellationRequested();
            try
            {
                return action();
            }
            catch (SqliteException error) when (error.IsBusy())
            {
                var waited = Stopwatch.GetElapsedTime(since);
                if (waited >= _lockLimit)
                    throw new QueueException(QueueFailure.Unavailable, $"The queue {FilePath} does not answer: another program has held it locked for {waited.TotalSeconds:0} s. Find that program ('fuser {FilePath}' names it) and end it, or try again.", error);
            }
        }
    }

    private T Guarded<T>(Func<T> action)
    {
        try
        {
            return action();
        }
        catch (Exception error) when (error is SqliteException or IOException or UnauthorizedAccessException)
        {
            throw error.ToQueueException(FilePath);
        }
    }

    private void Guarded(Action action) => Guarded(() =>
    {
        action();
        return true;
    });

    private void CreateEmpty()
    {
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        try
        {
            using var _ = new FileStream(FilePath, options);
        }
        catch (IOException) when (File.Exists(FilePath))
        {
            // Another process was faster.
        }
    }

    private static void CreatePrivate(string folder)
    {
        if (OperatingSystem.IsWindows())
            Directory.CreateDirectory(folder);
        else
            Directory.CreateDirectory(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }
}
