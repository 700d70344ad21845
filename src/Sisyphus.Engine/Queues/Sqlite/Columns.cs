using System.Text.Json;
using Microsoft.Data.Sqlite;

namespace Sisyphus.Engine.Queues.Sqlite;

/// <summary>Values as the file keeps them.</summary>
internal static class Columns
{
    public static string? Text(this SqliteDataReader row, int column) => row.IsDBNull(column) ? null : row.GetString(column);

    public static long? Number(this SqliteDataReader row, int column) => row.IsDBNull(column) ? null : row.GetInt64(column);

    public static double? Real(this SqliteDataReader row, int column) => row.IsDBNull(column) ? null : row.GetDouble(column);

    public static DateTimeOffset Time(this SqliteDataReader row, int column) => new(row.GetInt64(column), TimeSpan.Zero);

    public static DateTimeOffset? TimeOrNull(this SqliteDataReader row, int column) => row.IsDBNull(column) ? null : row.Time(column);

    public static T Word<T>(this SqliteDataReader row, int column) where T : struct, Enum => Enum.Parse<T>(row.GetString(column));

    public static T? WordOrNull<T>(this SqliteDataReader row, int column) where T : struct, Enum => row.IsDBNull(column) ? null : row.Word<T>(column);

    public static T[] List<T>(this SqliteDataReader row, int column) => JsonSerializer.Deserialize<T[]>(row.GetString(column)) ?? [];

    public static string Json<T>(IEnumerable<T> items) => JsonSerializer.Serialize(items);
}
