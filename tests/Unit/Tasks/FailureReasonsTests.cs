using Sisyphus.Engine.Tasks;
using Xunit;

namespace Sisyphus.Tests.Unit.Tasks;

public sealed class FailureReasonsTests
{
    [Fact]
    public void ToWord_EveryReason_IsSnakeCase() =>
        Assert.Equal("image_pull_denied", FailureReason.ImagePullDenied.ToWord());
}
