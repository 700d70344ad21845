using System.Text;
using System.Text.Json.Nodes;
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

    [Fact]
    public void Examine_ArrayWithABadDocument_TellsThemApart()
    {
        var readings = TaskDocumentReader.Examine("""[{"image": "a", "command": ["a"]}, {"image": "a"}, {"image": "c", "command": ["a"]}]"""u8.ToArray());

        Assert.Equal([true, false, true], readings.Select(reading => reading.IsValid));
        Assert.Equal([0, 1, 2], readings.Select(reading => reading.Index));
        Assert.Equal("c", readings[2].Document!.Image);
        Assert.Equal("$[1]", Assert.Single(readings[1].Errors).Path);
    }

    [Fact]
    public void TryReadAll_ArrayWithABadDocument_StillGivesTheGoodOnes()
    {
        var good = TaskDocumentReader.TryReadAll("""[{"image": "a", "command": ["a"]}, 1]"""u8.ToArray(), out var documents, out var errors);

        Assert.False(good);
        Assert.Single(documents);
        Assert.Single(errors);
    }

    [Fact]
    public void ReadAll_EmptyArray_IsNoDocument() => Assert.Empty(TaskDocumentReader.ReadAll("[]"u8.ToArray()));

    [Theory]
    [InlineData("", 1, 1, "empty")]
    [InlineData(" \n\t ", 1, 1, "empty")]
    [InlineData("\u00ef\u00bb\u00bf", 1, 1, "empty")]
    [InlineData("\u00ff\u00fe{\0}\0", 1, 1, "UTF-16")]
    [InlineData("{\n \"image\": \"\u00e4\"}", 2, 12, "not valid UTF-8")]
    public void ReadAll_BytesThatAreNoText_SaysWhereAndWhy(string latin1, int line, int column, string message)
    {
        var exception = Assert.Throws<InvalidTaskDocumentException>(() => TaskDocumentReader.ReadAll(Encoding.Latin1.GetBytes(latin1)));

        var error = Assert.Single(exception.Errors);
        Assert.Equal((line, column), (error.Line, error.Column));
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void ReadAll_ByteOrderMark_IsTolerated() =>
        Assert.Single(TaskDocumentReader.ReadAll((byte[])[0xEF, 0xBB, 0xBF, .. Encoding.UTF8.GetBytes(Example)]));

    [Fact]
    public void ReadAll_DeepNesting_IsRefusedAtTheLimit()
    {
        var deep = Encoding.UTF8.GetBytes(new string('[', 100_000));

        var exception = Assert.Throws<InvalidTaskDocumentException>(() => TaskDocumentReader.ReadAll(deep));

        var error = Assert.Single(exception.Errors.TakeLast(1));
        Assert.Equal("arrays and objects are nested deeper than 64 levels", error.Message);
        Assert.Equal(65, error.Column);
    }

    [Fact]
    public void ReadLenient_NestingAtTheLimit_IsKept()
    {
        var json = $$"""{"image": "a", "command": ["a"], "deep": {{new string('[', 63)}}{{new string(']', 63)}}}""";

        var document = TaskDocumentReader.ReadLenient(Encoding.UTF8.GetBytes(json), out _);

        Assert.Equal(document, TaskDocumentReader.ReadLenient(TaskDocumentWriter.Write(document), out _));
    }

    [Fact]
    public void ReadAll_TenMebibytesOfWrongValues_EndsSoonWithAThousandErrors()
    {
        var json = Encoding.UTF8.GetBytes("[" + string.Join(',', Enumerable.Repeat("1", 5_000_000)) + "]");
        var clock = System.Diagnostics.Stopwatch.StartNew();

        var exception = Assert.Throws<InvalidTaskDocumentException>(() => TaskDocumentReader.ReadAll(json));

        Assert.Equal(1002, exception.Errors.Count);
        Assert.Contains("the others are not shown", exception.Errors[^2].Message, StringComparison.Ordinal);
        Assert.Contains("more than 100000 documents", exception.Errors[^1].Message, StringComparison.Ordinal);
        Assert.True(clock.Elapsed < TimeSpan.FromSeconds(10), $"took {clock.Elapsed}");
    }

    [Fact]
    public void Examine_OneDocumentOfTenMebibytes_RefusesItAndReadsTheOthers()
    {
        var json = Encoding.UTF8.GetBytes($$"""[{"image": "a", "command": [{{string.Join(',', Enumerable.Repeat("\"x\"", 2_500_000))}}]}, {"image": "a", "command": ["a"]}]""");

        var readings = TaskDocumentReader.Examine(json);

        Assert.Equal([false, true], readings.Select(reading => reading.IsValid));
        Assert.Equal("the document is longer than 1MiB", Assert.Single(readings[0].Errors).Message);
    }

    [Theory]
    [InlineData("inputs")]
    [InlineData("outputs")]
    public void ReadAll_FifteenThousandPaths_AreComparedInLinearTime(string key)
    {
        var paths = string.Join(',', Enumerable.Range(0, 15_000).Select(i => $"\"bucket:key/of/object{i}\": \"/mnt/directory/{i}\""));
        var json = Encoding.UTF8.GetBytes($$"""{"image": "a", "command": ["a"], "{{key}}": { {{paths}} } }""");
        var clock = System.Diagnostics.Stopwatch.StartNew();

        Assert.Single(TaskDocumentReader.ReadAll(json));

        // Pair by pair it is ten seconds and more.
        Assert.True(clock.Elapsed < TimeSpan.FromSeconds(3), $"took {clock.Elapsed}");
    }

    [Fact]
    public void ReadAll_MoreThanAHundredPatterns_IsRefused()
    {
        var outputs = string.Join(',', Enumerable.Range(0, 101).Select(i => $"\"b:{i}/\": \"/{i}/*\""));
        var json = Encoding.UTF8.GetBytes($$"""{"image": "a", "command": ["a"], "outputs": { {{outputs}} } }""");

        var exception = Assert.Throws<InvalidTaskDocumentException>(() => TaskDocumentReader.ReadAll(json));

        Assert.Equal("$.outputs['b:100/']", Assert.Single(exception.Errors).Path);
    }

    [Fact]
    public void ReadAll_TextBeyondTheLimit_IsRefusedUnread()
    {
        var exception = Assert.Throws<InvalidTaskDocumentException>(() => TaskDocumentReader.ReadAll(new byte[(64 << 20) + 1]));

        Assert.Equal("the text is longer than 64MiB: split it", Assert.Single(exception.Errors).Message);
    }

    [Fact]
    public void ReadAll_TenThousandDocuments_IsFast()
    {
        var one = TaskDocumentReader.ReadAll(Encoding.UTF8.GetBytes(Example))[0];
        var json = TaskDocumentWriter.Write(Enumerable.Range(0, 10_000).Select(i => one with { Id = $"task-{i}" }));
        TaskDocumentReader.ReadAll(json);
        var clock = System.Diagnostics.Stopwatch.StartNew();

        Assert.Equal(10_000, TaskDocumentReader.ReadAll(json).Count);

        TestContext.Current.TestOutputHelper!.WriteLine($"{json.Length} bytes in {clock.Elapsed.TotalMilliseconds:F0} ms");
        // A fifth of a second on a quiet machine; the rest is for a busy one.
        Assert.True(clock.Elapsed < TimeSpan.FromSeconds(5), $"took {clock.Elapsed}");
    }

    [Fact]
    public void ReadLenient_KeysOfALaterVersion_AreKeptWhereTheyWereAndNamed()
    {
        var json = Encoding.UTF8.GetBytes("""
            {"$schema": "x", "image": "a", "resources": {"fpgas": 2}, "inputs": {"b:x": {"path": "/x", "cache": false}},
             "outputs": {"b:y": {"path": "/y", "mode": "0644"}}, "commands": [{"command": ["a"], "nice": 5}], "future": {"a": [1, 2]}}
            """);

        var document = TaskDocumentReader.ReadLenient(json, out var warnings);

        Assert.Equal(
            ["$.resources.fpgas", "$.inputs['b:x'].cache", "$.outputs['b:y'].mode", "$.future", "$.commands[0].nice"],
            warnings.Select(warning => warning.Split(": ")[0]));
        Assert.Equal("[1, 2]", document.Extensions["future"].GetProperty("a").GetRawText());
        Assert.Equal(2, document.Resources.Extensions["fpgas"].GetInt32());
        Assert.Equal(document, TaskDocumentReader.ReadLenient(TaskDocumentWriter.Write(document), out _));
    }

    [Theory]
    [InlineData("""{"image": "a", "image": "a", "command": ["a"]}""")]
    [InlineData("""{"image": "a", "command": ["a"], "future": {"x": 1, "x": 2}}""")]
    [InlineData("""[{"image": "a", "command": ["a"]}]""")]
    [InlineData("""{"image": "a", "command": ["a"], "retries": -1}""")]
    public void ReadLenient_WhatIsWrongInAnyVersion_Throws(string json) =>
        Assert.Single(Assert.Throws<InvalidTaskDocumentException>(() => TaskDocumentReader.ReadLenient(Encoding.UTF8.GetBytes(json), out _)).Errors);

    [Fact]
    public void FromObject_Wrong_HasPathsButNoLines()
    {
        var made = new JsonObject { ["image"] = "a", ["command"] = new JsonArray("a", 5), ["timeut"] = 5 };

        var exception = Assert.Throws<InvalidTaskDocumentException>(() => TaskDocumentReader.FromObject(made));

        Assert.Equal([(0, 0, "$.command[1]"), (0, 0, "$.timeut")], exception.Errors.Select(error => (error.Line, error.Column, error.Path)));
        Assert.StartsWith("$.command[1]: expected a string", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void FromObject_Right_IsTheDocument() =>
        Assert.Equal(["a", "b"], TaskDocumentReader.FromObject(new JsonObject { ["image"] = "a", ["command"] = new JsonArray("a", "b") }).Commands[0].Arguments);
}
