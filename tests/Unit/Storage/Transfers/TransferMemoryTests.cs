using Sisyphus.Engine.Storage.Transfers;
using Xunit;

namespace Sisyphus.Tests.Unit.Storage.Transfers;

public sealed class TransferMemoryTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Rent_MoreThanIsFree_WaitsForAReturn()
    {
        var memory = new TransferMemory(100);
        var first = await memory.RentAsync(60, Token);
        var second = memory.RentAsync(60, Token).AsTask();
        Assert.False(second.IsCompleted);
        first.Dispose();
        using var rented = await second;
        Assert.Equal((60, 60L, 60L), (rented.Memory.Length, memory.Used, memory.Peak));
    }

    [Fact]
    public async Task Rent_SmallBehindLarge_DoesNotOvertake()
    {
        var memory = new TransferMemory(100);
        var first = await memory.RentAsync(60, Token);
        var large = memory.RentAsync(90, Token).AsTask();
        var small = memory.RentAsync(10, Token).AsTask();
        Assert.False(small.IsCompleted);
        first.Dispose();
        using var both = await large;
        using var too = await small;
        Assert.Equal(100, memory.Used);
    }

    [Fact]
    public async Task Rent_LargerThanTheLimit_IsGivenAlone()
    {
        var memory = new TransferMemory(100);
        using var large = await memory.RentAsync(1000, Token);
        Assert.Equal(1000, large.Memory.Length);
        Assert.False(memory.RentAsync(1, Token).AsTask().IsCompleted);
    }

    [Fact]
    public async Task Rent_CanceledWhileItWaits_LeavesItsShareToTheNext()
    {
        var memory = new TransferMemory(100);
        var first = await memory.RentAsync(100, Token);
        using var canceled = new CancellationTokenSource();
        var gone = memory.RentAsync(100, canceled.Token).AsTask();
        var next = memory.RentAsync(100, Token).AsTask();
        await canceled.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => gone);
        first.Dispose();
        (await next).Dispose();
        Assert.Equal(0, memory.Used);
    }

    [Fact]
    public async Task Dispose_Twice_ReturnsOnce()
    {
        var memory = new TransferMemory(100);
        var rented = await memory.RentAsync(40, Token);
        using var other = await memory.RentAsync(40, Token);
        rented.Dispose();
        rented.Dispose();
        Assert.Equal(40, memory.Used);
    }

    [Fact]
    public async Task Rent_ManyAtOnce_NeverMoreThanTheLimit()
    {
        var memory = new TransferMemory(1000);
        await Parallel.ForEachAsync(Enumerable.Range(1, 2000), new ParallelOptions { MaxDegreeOfParallelism = 16, CancellationToken = Token }, async (size, token) =>
        {
            using var rented = await memory.RentAsync(size % 300, token);
            await Task.Yield();
        });
        Assert.Equal(0, memory.Used);
        Assert.InRange(memory.Peak, 300, 1000);
    }
}
