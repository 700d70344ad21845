using Xunit;

namespace Sisyphus.Tests.Integration;

internal static class TestWait
{
    /// <summary>Asks until the answer is yes; fails at the limit.</summary>
    public static async Task UntilAsync(Func<Task<bool>> condition, TimeSpan limit)
    {
        using var late = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        late.CancelAfter(limit);
        while (!await condition())
        {
            if (late.IsCancellationRequested)
                Assert.Fail($"Not within {limit}.");
            await Task.Delay(20, CancellationToken.None);
        }
    }
}
