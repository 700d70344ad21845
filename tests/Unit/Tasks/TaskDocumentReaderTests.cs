using System.Text;
using Sisyphus.Engine.Tasks;
using Xunit;

namespace Sisyphus.Tests.Unit.Tasks;

public sealed class TaskDocumentReaderTests
{
    private const string Example = """
        {"image": "alpine:latest",
         "inputs":  {"sisyphus:data/clear": "/mnt/clear"},
         "outputs": {"sisyphus:data/crypt": "/mnt/crypt"},
         "commands": [{"command": ["md5sum", "/mnt/clear"], "stdout": "/mnt/crypt"}]}
        """;

    [Fact]
    public void ReadAll_ExampleOfTheDesign_HasItsPartsAndDefaults()
    {
        var document = Assert.Single(TaskDocumentReader.ReadAll(Encoding.UTF8.GetBytes(Example)));

        Assert.Equal("alpine:latest", document.Image);
        Assert.Equal([new TaskInput(new RemotePath(null, "sisyphus", "data/clear"), "/mnt/clear")], document.Inputs);
        Assert.Equal([new TaskOutput(new RemotePath(null, "sisyphus", "data/crypt"), TaskOutputKind.File, "/mnt/crypt")], document.Outputs);
        Assert.Equal([new TaskCommand(["md5sum", "/mnt/clear"], StandardOutput: "/mnt/crypt")], document.Commands);
        Assert.Equal((3, 4, TimeSpan.FromHours(1), TaskNetwork.Bridge), (document.Retries, document.Priority, document.Timeout, document.Network));
        Assert.Null(document.Id);
    }

    [Fact]
    public void ReadAll_SeveralMistakes_ReportsAllWithTheirPlaces()
    {
        var json = Encoding.UTF8.GetBytes("""
            [{"image": "alpine", "command": ["true"]},
             {"imgae": "alpine", "timeout": -5,
              "comands": [], "inputs": {"a:b": "c"}}]
            """);

        var exception = Assert.Throws<InvalidTaskDocumentException>(() => TaskDocumentReader.ReadAll(json));

        Assert.Equal(
            [(2, 2, "$[1]"), (2, 2, "$[1]"), (2, 3, "$[1].imgae"), (2, 33, "$[1].timeout"), (3, 3, "$[1].comands"), (3, 36, "$[1].inputs['a:b']")],
            exception.Errors.Select(error => (error.Line, error.Column, error.Path)));
        Assert.Contains("did you mean \"image\"?", exception.Errors[2].Message, StringComparison.Ordinal);
        Assert.Contains("did you mean \"commands\"?", exception.Errors[4].Message, StringComparison.Ordinal);
    }
}
