using System.Buffers.Binary;

namespace Sisyphus.Engine.Queues.Sqlite;

/// <summary>The first bytes of a database, read without SQLite, which would already make files beside one that is not ours (https://sqlite.org/fileformat2.html#the_database_header).</summary>
internal static class FileHeader
{
    private const int Length = 100;
    private const int UserVersionAt = 60;
    private const int ApplicationIdAt = 68;

    /// <summary>Refuses what is not a queue of a version that we know.</summary>
    /// <returns>Whether something is in the file.</returns>
    /// <exception cref="QueueException">It must not be touched, or is damaged.</exception>
    public static bool Check(string path, int knownVersion)
    {
        if (Directory.Exists(path))
            throw SqliteFailures.NotAQueue(path, "it is a folder");
        var header = new byte[Length];
        int length;
        using (var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0))
            length = file.ReadAtLeast(header, Length, throwOnEndOfStream: false);
        if (length == 0)
            return false;
        var magic = "SQLite format 3\0"u8;
        if (!header.AsSpan(0, Math.Min(length, magic.Length)).SequenceEqual(magic[..Math.Min(length, magic.Length)]))
            throw SqliteFailures.NotAQueue(path, "it is no SQLite database");
        if (length < Length)
            throw SqliteFailures.Corrupt(path);
        var application = BinaryPrimitives.ReadInt32BigEndian(header.AsSpan(ApplicationIdAt));
        if (application != Schema.ApplicationId)
            throw SqliteFailures.NotAQueue(path, "it is a database of another program");
        var version = BinaryPrimitives.ReadInt32BigEndian(header.AsSpan(UserVersionAt));
        if (version > knownVersion)
            throw SqliteFailures.NewerVersion(path, version, knownVersion);
        return true;
    }
}
