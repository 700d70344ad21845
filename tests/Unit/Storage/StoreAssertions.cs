using System.Text;
using Sisyphus.Engine.Storage;
using Sisyphus.Engine.Tasks;
using Xunit;

namespace Sisyphus.Tests.Unit.Storage;

/// <summary>What tests ask of a store in one line.</summary>
internal static class StoreAssertions
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public static byte[] Content(int length, int seed = 1)
    {
        var bytes = new byte[length];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }

    public static Task<ObjectInfo> PutAsync(this IObjectStore store, string bucket, string key, byte[] content) =>
        store.PutAsync(bucket, key, new MemoryStream(content), Token);

    public static Task<ObjectInfo> PutAsync(this IObjectStore store, string bucket, string key, string text) =>
        store.PutAsync(bucket, key, Encoding.UTF8.GetBytes(text));

    public static async Task<byte[]> ReadAsync(this IObjectStore store, ObjectInfo info, long offset = 0)
    {
        await using var stream = await store.OpenReadAsync(info, offset, Token);
        var content = new MemoryStream();
        await stream.CopyToAsync(content, Token);
        return content.ToArray();
    }

    public static async Task<byte[]?> ReadAsync(this IObjectStore store, string bucket, string key) =>
        await store.StatAsync(bucket, key, Token) is { } info ? await store.ReadAsync(info) : null;

    public static async Task<string?> ReadTextAsync(this IObjectStore store, string bucket, string key) =>
        await store.ReadAsync(bucket, key) is { } bytes ? Encoding.UTF8.GetString(bytes) : null;

    public static async Task<List<string>> KeysAsync(this IObjectStore store, string bucket, string prefix = "") =>
        await store.ListAsync(bucket, prefix, Token).Select(info => info.Key).ToListAsync(Token);

    public static async Task<TaskFailureException> FailsAsync(FailureReason reason, Func<Task> action)
    {
        var failure = await Assert.ThrowsAsync<TaskFailureException>(action);
        Assert.Equal(reason, failure.Reason);
        return failure;
    }
}
