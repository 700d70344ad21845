using System.Text;
using NJsonSchema;
using Sisyphus.Engine.Tasks;
using Xunit;

namespace Sisyphus.Tests.Unit.Tasks;

public sealed class TaskDocumentWriterTests
{
    public static TheoryData<string> Valid => [.. DocumentTable.Names("valid")];

    [Theory]
    [MemberData(nameof(Valid))]
    public void Write_ValidRow_ReadsBackEqual(string name)
    {
        var documents = TaskDocumentReader.ReadAll(Encoding.UTF8.GetBytes(DocumentTable.Rows[name].Text));

        Assert.Equal(documents, TaskDocumentReader.ReadAll(TaskDocumentWriter.Write(documents)));
        Assert.All(documents, document => Assert.Equal(document, Assert.Single(TaskDocumentReader.ReadAll(TaskDocumentWriter.Write(document, indented: true)))));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public void Write_GeneratedDocuments_ReadBackEqual(int seed)
    {
        var generated = new GeneratedDocuments(seed);
        for (var i = 0; i < 250; i++)
        {
            var document = generated.Next();
            var json = TaskDocumentWriter.Write(document, indented: i % 2 == 0);

            var again = TaskDocumentReader.ReadLenient(json, out _);

            Assert.True(document.Equals(again), Encoding.UTF8.GetString(json));
            Assert.Equal(document.GetHashCode(), again.GetHashCode());
            Assert.Equal(json, TaskDocumentWriter.Write(again, indented: i % 2 == 0));
        }
    }

    [Fact]
    public async Task Write_GeneratedDocuments_SatisfyTheSchema()
    {
        var schema = await JsonSchema.FromJsonAsync(TaskDocumentSchema.Text, TestContext.Current.CancellationToken);
        var generated = new GeneratedDocuments(5, withExtensions: false);
        for (var i = 0; i < 200; i++)
        {
            var json = Encoding.UTF8.GetString(TaskDocumentWriter.Write(generated.Next()));
            Assert.True(schema.Validate(json).Count == 0, json);
        }
    }

    [Fact]
    public void Write_Defaults_WritesNothingThatGoesWithoutSaying()
    {
        var document = Read("""{"commands": [{"command": ["echo", "ä🙂<&>"]}], "retries": 3, "timeout": 3600, "network": "bridge", "priority": 4, "env": {}, "image": "a"}""");

        Assert.Equal("""{"image":"a","command":["echo","ä🙂<&>"]}""", Encoding.UTF8.GetString(TaskDocumentWriter.Write(document)));
    }

    [Fact]
    public void Write_Indented_IsForPeople()
    {
        var document = Read("""{"image": "a", "timeout": "PT90M", "resources": {"memory": 536870912}, "command": ["a"], "inputs": {"b:d": "/d/"}, "outputs": {"b:s": "/\\*"}}""");

        Assert.Equal(
            """
            {
              "image": "a",
              "inputs": {
                "b:d/": "/d"
              },
              "outputs": {
                "b:s": "/\\*"
              },
              "command": [
                "a"
              ],
              "timeout": "1h30m",
              "resources": {
                "memory": "512MiB"
              }
            }
            """,
            Encoding.UTF8.GetString(TaskDocumentWriter.Write(document, indented: true)));
    }

    [Fact]
    public void Equals_DocumentsThatDifferInOneThing_AreNot()
    {
        var document = new GeneratedDocuments(6, withExtensions: false).Next();
        TaskDocument[] others =
        [
            document with { Id = "other" }, document with { Name = "other" }, document with { Workflow = "other" }, document with { Image = "other" },
            document with { Tags = new Dictionary<string, string> { ["other"] = "x" } }, document with { Environment = new Dictionary<string, string> { ["other"] = "x" } },
            document with { Commands = [new TaskCommand(["other"])] }, document with { Inputs = [new TaskInput(RemotePath.Parse("b:other"), "/other")] },
            document with { Outputs = [new TaskOutput(RemotePath.Parse("b:other"), TaskOutputKind.File, "/other")] },
            document with { WorkingDirectory = "/other" }, document with { User = "other" }, document with { Timeout = TimeSpan.FromSeconds(1) },
            document with { Resources = new TaskResources { Cpus = 77 } }, document with { Retries = 101 }, document with { RetryExitCodes = [77] },
            document with { Priority = 77 }, document with { Network = (TaskNetwork)77 }, document with { Publish = (TaskPublishing)77 },
            document with { Extensions = new Dictionary<string, System.Text.Json.JsonElement> { ["x"] = default } },
            document with { Commands = [.. document.Commands.Select(command => command with { Arguments = [.. command.Arguments, "other"] })] },
        ];

        Assert.All(others, other => Assert.NotEqual(document, other));
        Assert.Equal(document, document with { Commands = [.. document.Commands] });
    }

    private static TaskDocument Read(string json) => Assert.Single(TaskDocumentReader.ReadAll(Encoding.UTF8.GetBytes(json)));
}
