using Sisyphus.Engine.Tasks;
using Xunit;

namespace Sisyphus.Tests.Unit.Tasks;

public sealed class TaskIdTests
{
    [Fact]
    public void New_Twice_GivesDifferentValidUuidsOfVersion7()
    {
        var (first, second) = (TaskId.New(), TaskId.New());

        Assert.NotEqual(first, second);
        Assert.True(TaskId.IsValid(first));
        Assert.Equal(7, Guid.Parse(first).Version);
    }

    [Theory]
    [InlineData("a", true)]
    [InlineData("A.b_c-9", true)]
    [InlineData(".a", true)]
    [InlineData("", false)]
    [InlineData(null, false)]
    [InlineData(".", false)]
    [InlineData("..", false)]
    [InlineData("a/b", false)]
    [InlineData("a b", false)]
    [InlineData("a\n", false)]
    [InlineData("ä", false)]
    public void IsValid_Text_FollowsThePattern(string? id, bool expected) => Assert.Equal(expected, TaskId.IsValid(id));

    [Theory]
    [InlineData(128, true)]
    [InlineData(129, false)]
    public void IsValid_Length_EndsAt128(int length, bool expected) => Assert.Equal(expected, TaskId.IsValid(new string('a', length)));
}
