using System.Text;
using NJsonSchema;
using Sisyphus.Engine.Tasks;
using Xunit;

namespace Sisyphus.Tests.Unit.Tasks;

public sealed class DocumentTableTests
{
    private static readonly Task<JsonSchema> Schema = JsonSchema.FromJsonAsync(TaskDocumentSchema.Text);

    public static TheoryData<string> Valid => [.. DocumentTable.Names("valid")];

    public static TheoryData<string> Refused => [.. DocumentTable.Names("invalid", "reader-only", "not-json")];

    public static TheoryData<string> RefusedBySchema => [.. DocumentTable.Names("invalid")];

    public static TheoryData<string> AcceptedBySchema => [.. DocumentTable.Names("valid", "reader-only")];

    [Fact]
    public void Table_Itself_IsLargeAndHasNoOtherKinds()
    {
        Assert.True(DocumentTable.Rows.Count >= 150, $"{DocumentTable.Rows.Count} rows");
        Assert.Equal(["invalid", "not-json", "reader-only", "valid"], DocumentTable.Rows.Values.Select(row => row.Kind).Distinct().Order());
        Assert.All(DocumentTable.Rows.Values, row => Assert.Equal(row.Kind != "valid", row.Errors.Count > 0));
    }

    [Theory]
    [MemberData(nameof(Valid))]
    public void ReadAll_ValidRow_HasNoErrors(string name) =>
        Assert.All(TaskDocumentReader.ReadAll(Encoding.UTF8.GetBytes(DocumentTable.Rows[name].Text)), document => Assert.NotEmpty(document.Commands));

    [Theory]
    [MemberData(nameof(Refused))]
    public void TryReadAll_BadRow_HasExactlyItsErrors(string name)
    {
        var row = DocumentTable.Rows[name];

        Assert.False(TaskDocumentReader.TryReadAll(Encoding.UTF8.GetBytes(row.Text), out _, out var errors));

        Assert.Equal(
            row.Errors.Select(error => $"{error.Line}:{error.Column} {error.Path}"),
            errors.Select(error => $"{error.Line}:{error.Column} {error.Path}"));
        Assert.All(row.Errors.Zip(errors), pair => Assert.Contains(pair.First.Message, pair.Second.Message, StringComparison.Ordinal));
    }

    [Theory]
    [MemberData(nameof(RefusedBySchema))]
    public async Task Schema_EachErrorOfAnInvalidRow_Refuses(string name)
    {
        foreach (var (path, json) in SingleErrors.Of(DocumentTable.Rows[name]))
        {
            Assert.False(TaskDocumentReader.TryReadAll(Encoding.UTF8.GetBytes(json), out _, out var errors));
            Assert.True((await Schema).Validate(json).Count > 0, $"The schema accepts {path}, of which the reader says: {errors[0]}");
        }
    }

    [Theory]
    [MemberData(nameof(AcceptedBySchema))]
    public async Task Schema_ValidOrReaderOnlyRow_Accepts(string name) =>
        Assert.Empty((await Schema).Validate(DocumentTable.Rows[name].Text));
}
