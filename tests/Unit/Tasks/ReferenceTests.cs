using System.Text;
using System.Text.RegularExpressions;
using NJsonSchema;
using Sisyphus.Engine.Tasks;
using Sisyphus.Engine.Tasks.Reading;
using Xunit;

namespace Sisyphus.Tests.Unit.Tasks;

/// <summary>What <c>docs/task-document.md</c> shows and says is so.</summary>
public sealed partial class ReferenceTests
{
    private static readonly string Reference = File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "docs", "task-document.md"));

    /// <summary>Every JSON block; one that shows a single key is put into a document.</summary>
    public static TheoryData<string> Examples => [.. JsonBlock().Matches(Reference)
        .Select(match => match.Groups[1].Value)
        .Select(text => text.StartsWith('{') ? text : $$"""{"image": "a", "command": ["a"], {{text}}}""")];

    [Fact]
    public void Examples_All_AreFound() => Assert.True(Examples.Count >= 7);

    [Theory]
    [MemberData(nameof(Examples))]
    public async Task Example_OfTheReference_IsValid(string json)
    {
        var schema = await JsonSchema.FromJsonAsync(TaskDocumentSchema.Text, TestContext.Current.CancellationToken);

        Assert.Single(TaskDocumentReader.ReadAll(Encoding.UTF8.GetBytes(json)));
        Assert.Empty(schema.Validate(json));
    }

    [Fact]
    public void ExampleErrors_OfTheReference_AreWhatTheReaderSays()
    {
        var json = """
            [{"image": "alpine", "command": ["true"]},
             {"imgae": "alpine", "command": ["cat", "/mnt/a"],
              "inputs": {"lab:a": "mnt/a"}}]
            """u8.ToArray();

        TaskDocumentReader.TryReadAll(json, out _, out var errors);

        Assert.Equal(2, ErrorLine().Count(Reference));
        foreach (var shown in ErrorLine().Matches(Reference).Select(match => match.Groups[1].Value))
            Assert.Contains(shown, errors.Select(error => error.ToString()));
    }

    [Theory]
    [InlineData("| documents in one text | 100,000 |", Limits.MaxDocuments, 100_000)]
    [InlineData("| text with one or more documents | 64 MiB |", Limits.MaxTextBytes, 64 << 20)]
    [InlineData("| one document, as it stands in the text | 1 MiB |", Limits.MaxDocumentBytes, 1 << 20)]
    [InlineData("| nesting of arrays and objects | 64 levels |", JsonSyntax.MaxDepth, 64)]
    [InlineData("| one argument; one variable as `NAME=value` | 131,071 bytes", Limits.MaxArgumentBytes, 131_071)]
    [InlineData("| patterns in a document | 100 |", Limits.MaxPatterns, 100)]
    [InlineData("| errors shown for a text | 1,000,", ReadContext.MaxErrors, 1000)]
    [InlineData("| `gpus` | number of GPUs | 1 to 1024 |", Limits.MaxGpus, 1024)]
    [InlineData("| `pids` | processes and threads at a time | 1 to 4194304 |", Limits.MaxPids, 4_194_304)]
    public void Limit_OfTheReference_IsThatOfTheCode(string shown, long actual, long expected)
    {
        Assert.Contains(shown, Reference, StringComparison.Ordinal);
        Assert.Equal(expected, actual);
    }

    [GeneratedRegex("^```json\n(.*?)\n```$", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex JsonBlock();

    [GeneratedRegex(@"^(\([0-9]+,[0-9]+\) \$\[1\].*)$", RegexOptions.Multiline)]
    private static partial Regex ErrorLine();
}
