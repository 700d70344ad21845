using Microsoft.Data.Sqlite;

namespace Sisyphus.Tests.Integration.Nodes;

/// <summary>A queue's file, behind the queue's back.</summary>
internal sealed class QueueFileConnection : IDisposable
{
    private readonly SqliteConnection _connection;

    /// <param name="address">Of the queue.</param>
    public QueueFileConnection(string address)
    {
        _connection = new SqliteConnection($"Data Source={address["sqlite:".Length..]};Pooling=False");
        _connection.Open();
    }

    public void Execute(string sql)
    {
        using var command = _connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }

    public void Dispose() => _connection.Dispose();
}
