namespace Sisyphus.Engine.Queues.Sqlite;

/// <summary>What makes a file a queue of ours, and the scripts that bring it up to date.</summary>
/// <remarks>A script that was released never changes: a file of version n had the first n of them.
/// Times are ticks of UTC; <c>deadline</c> and <c>heard</c> are milliseconds since the machine started. What a node said (<c>started</c>, <c>finished</c>) is only shown; retention goes by <c>ended</c>.
/// States, reasons and kinds are words, so that a newer enumeration can't shift them.</remarks>
internal static class Schema
{
    /// <summary>"Sisy", in the header of the file (https://sqlite.org/fileformat2.html#application_id).</summary>
    public const int ApplicationId = 0x53697379;

    public static readonly IReadOnlyList<string> Scripts = [Version1, Version2];

    private const string Version1 = """
        CREATE TABLE tasks (
            sequence INTEGER PRIMARY KEY AUTOINCREMENT,
            id TEXT NOT NULL UNIQUE,
            document BLOB NOT NULL,
            name TEXT,
            workflow TEXT,
            image TEXT NOT NULL,
            priority INTEGER NOT NULL,
            cpus REAL NOT NULL,
            memory INTEGER NOT NULL,
            phase INTEGER NOT NULL,
            state TEXT NOT NULL,
            sent INTEGER NOT NULL,
            not_before INTEGER,
            session INTEGER,
            lease INTEGER,
            deadline INTEGER,
            node TEXT,
            failed_attempts INTEGER NOT NULL DEFAULT 0,
            losses INTEGER NOT NULL DEFAULT 0,
            cancel_requested INTEGER NOT NULL DEFAULT 0,
            reason TEXT,
            message TEXT NOT NULL DEFAULT '',
            started INTEGER,
            finished INTEGER,
            ended INTEGER,
            exit_codes TEXT NOT NULL DEFAULT '[]',
            peak_memory INTEGER,
            record TEXT,
            log_tail TEXT NOT NULL DEFAULT '',
            attempts TEXT NOT NULL DEFAULT '[]'
        );
        CREATE INDEX ready ON tasks (priority DESC, sequence, cpus, memory, workflow) WHERE phase = 0;
        CREATE INDEX ready_of_workflow ON tasks (workflow, priority DESC, sequence, cpus, memory) WHERE phase = 0 AND workflow IS NOT NULL;
        CREATE INDEX delayed ON tasks (not_before) WHERE phase = 1;
        CREATE INDEX leased ON tasks (deadline) WHERE phase = 2;
        CREATE INDEX leased_by ON tasks (session) WHERE phase = 2;
        CREATE INDEX ended ON tasks (ended) WHERE phase = 3;
        CREATE INDEX dead ON tasks (sequence) WHERE phase = 4;
        CREATE TABLE events (
            sequence INTEGER PRIMARY KEY AUTOINCREMENT,
            time INTEGER NOT NULL,
            kind TEXT NOT NULL,
            task TEXT,
            name TEXT,
            node TEXT,
            state TEXT,
            attempt INTEGER,
            reason TEXT,
            message TEXT NOT NULL,
            not_before INTEGER
        );
        CREATE INDEX events_of_task ON events (task, sequence) WHERE task IS NOT NULL;
        CREATE TABLE nodes (
            name TEXT PRIMARY KEY,
            session INTEGER NOT NULL UNIQUE,
            state TEXT NOT NULL,
            concurrency INTEGER NOT NULL,
            cpus REAL NOT NULL,
            memory INTEGER NOT NULL,
            machine TEXT NOT NULL,
            process_id INTEGER NOT NULL,
            software TEXT NOT NULL,
            interval INTEGER NOT NULL,
            joined INTEGER NOT NULL,
            last_seen INTEGER NOT NULL,
            heard INTEGER NOT NULL,
            tasks TEXT NOT NULL DEFAULT '[]',
            cpus_in_use REAL NOT NULL DEFAULT 0,
            memory_in_use INTEGER NOT NULL DEFAULT 0,
            load REAL,
            finished INTEGER NOT NULL DEFAULT 0,
            message TEXT NOT NULL DEFAULT ''
        );
        CREATE TABLE orders (
            sequence INTEGER PRIMARY KEY AUTOINCREMENT,
            session INTEGER NOT NULL,
            kind TEXT NOT NULL,
            task TEXT
        );
        CREATE INDEX orders_of_session ON orders (session, sequence);
        """;

    private const string Version2 = """
        CREATE TABLE output_wishes (
            task TEXT NOT NULL,
            reader INTEGER NOT NULL,
            deadline INTEGER NOT NULL,
            PRIMARY KEY (task, reader)
        ) WITHOUT ROWID;
        CREATE TABLE output (
            sequence INTEGER PRIMARY KEY AUTOINCREMENT,
            task TEXT NOT NULL,
            batch BLOB NOT NULL
        );
        CREATE INDEX output_of_task ON output (task, sequence);
        """;
}
