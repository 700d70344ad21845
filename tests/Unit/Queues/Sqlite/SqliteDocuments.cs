using System.Text;
using Sisyphus.Engine.Tasks;

namespace Sisyphus.Tests.Unit.Queues.Sqlite;

internal static class SqliteDocuments
{
    private static readonly TaskDocument Template = TaskDocumentReader.ReadAll(Encoding.UTF8.GetBytes("""{"image": "tools:1", "commands": [{"command": ["true"]}]}"""))[0];

    public static TaskDocument Make(string id) => Template with { Id = id };
}
