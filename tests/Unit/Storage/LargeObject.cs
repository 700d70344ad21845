using Sisyphus.Engine.Storage;
using Sisyphus.Engine.Storage.Transfers;
using Xunit;

namespace Sisyphus.Tests.Unit.Storage;

/// <summary>An object beyond what 32 bits count: zeros, and a one at each place where a count may go wrong.</summary>
internal static class LargeObject
{
    // Also beyond what S3 copies with one request.
    private const long Size = (5L * 1024 * 1024 * 1024) + 5;
    // From its length and the places of the ones, by the algebra of CRCs.
    private const uint Crc32C = 0x6d1fd2f1;
    private const int Surroundings = 3;
    private static readonly long[] Marks = [(1L << 31) - 1, 1L << 31, (1L << 32) - 1, 1L << 32, Size - 1];

    private static TransferScheduler Scheduler { get; } = new(new TransferOptions());

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    /// <summary>Brings it there out of a file that takes no room, and looks at it.</summary>
    public static async Task<ObjectInfo> PutAsync(IObjectStore store, string bucket)
    {
        using var folder = new TemporaryFolder();
        Write(folder["there"]);
        var put = await new FileUpload(folder["there"], new ObjectLocation(store, bucket, "large"), "large", Size).RunAsync(Scheduler, new TransferMeter(), Token);
        await AssertIsThereAsync(store, put!);
        return put!;
    }

    public static async Task AssertIsCopiedAsync(IObjectStore store, ObjectInfo put)
    {
        await AssertIsThereAsync(store, await store.CopyAsync(put, "copy", Token) with { Crc32C = Crc32C });
        await store.DeleteAsync(put.Bucket, "copy", Token);
    }

    public static async Task AssertIsFetchedAsync(IObjectStore store, ObjectInfo put)
    {
        using var folder = new TemporaryFolder();
        await new FileDownload(store, put, "large", folder["back"]).RunAsync(Scheduler, new TransferMeter(), Token);
        await using var back = File.OpenRead(folder["back"]);
        Assert.Equal(Size, back.Length);
        foreach (var mark in Marks)
        {
            back.Position = mark - Surroundings;
            await AssertSurroundingsAsync(back, mark);
        }
    }

    public static async Task AssertIsDeletedAsync(IObjectStore store, ObjectInfo put)
    {
        await store.DeleteAsync(put.Bucket, put.Key, Token);
        Assert.Empty(await store.KeysAsync(put.Bucket));
    }

    private static async Task AssertIsThereAsync(IObjectStore store, ObjectInfo info)
    {
        Assert.Equal((Size, Crc32C), (info.Size, info.Crc32C));
        var stat = (await store.StatAsync(info.Bucket, info.Key, Token))!;
        Assert.Equal((Size, info.Generation, Crc32C), (stat.Size, stat.Generation, stat.Crc32C ?? Crc32C));
        foreach (var mark in Marks)
        {
            await using var part = await store.OpenReadAsync(info, mark - Surroundings, LengthAround(mark), Token);
            await AssertSurroundingsAsync(part, mark);
            Assert.Equal(0, await part.ReadAsync(new byte[1], Token));
        }
    }

    private static async Task AssertSurroundingsAsync(Stream content, long mark)
    {
        var bytes = new byte[LengthAround(mark)];
        await content.ReadExactlyAsync(bytes, Token);
        Assert.Equal(Enumerable.Range(0, bytes.Length).Select(i => Marks.Contains(mark - Surroundings + i) ? (byte)1 : (byte)0), bytes);
    }

    private static int LengthAround(long mark) => (int)Math.Min((2 * Surroundings) + 1, Size - mark + Surroundings);

    private static void Write(string path)
    {
        using var file = File.OpenHandle(path, FileMode.CreateNew, FileAccess.Write);
        foreach (var mark in Marks)
            RandomAccess.Write(file, [1], mark);
    }
}
