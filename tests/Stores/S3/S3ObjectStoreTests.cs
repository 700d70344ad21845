using System.Net.Sockets;
using Sisyphus.Engine.Storage;
using Sisyphus.Engine.Storage.Checksums;
using Sisyphus.Engine.Storage.S3;
using Sisyphus.Engine.Tasks;
using Sisyphus.Tests.StoreEmulator.Faults;
using Sisyphus.Tests.StoreEmulator.S3;
using Sisyphus.Tests.Unit.Storage;
using Xunit;
using static Sisyphus.Tests.Unit.Storage.StoreAssertions;

namespace Sisyphus.Tests.Stores.S3;

public sealed class S3ObjectStoreTests
{
    private const long MiB = 1024 * 1024;
    private const string Bucket = "bucket";

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    // Servers that have checksums, MD5 only, or checksums of checksums only.
    public static TheoryData<int, string> SizesAndServers
    {
        get
        {
            var data = new TheoryData<int, string>();
            foreach (var size in (int[])[0, 1, S3Stores.Chunk - 1, S3Stores.Chunk, S3Stores.Chunk + 1, (2 * S3Stores.Chunk) - 1, 2 * S3Stores.Chunk, (2 * S3Stores.Chunk) + 1, 20 * S3Stores.Chunk])
            {
                foreach (var server in (string[])["new", "old", "composite"])
                    data.Add(size, server);
            }
            return data;
        }
    }

    [Theory, MemberData(nameof(SizesAndServers))]
    public async Task Put_AnySizeAtAnyServer_IsOneRequestOrParts(int size, string server)
    {
        await using var emulator = await StartAsync(S3Stores.SmallServer with { HasNoChecksums = server == "old", HasOnlyCompositeChecksums = server == "composite" });
        var parts = S3Stores.Parts(emulator);
        var store = S3Stores.Open(emulator, parts, S3Stores.Small);

        var put = await store.PutAsync(Bucket, "k", Content(size));

        Assert.Equal(Content(size), await store.ReadAsync(put));
        Assert.Equal(Crc32C.Of(Content(size)), put.Crc32C);
        Assert.Equal(size <= S3Stores.Chunk ? 1 : 0, emulator.Count("PutObject"));
        Assert.Equal(size <= S3Stores.Chunk ? 0 : (size + S3Stores.Chunk - 1) / S3Stores.Chunk, emulator.Count("UploadPart"));
        Assert.Equal(0, emulator.OpenUploads(Bucket));
        Assert.InRange(parts.Memory.Peak, 0, S3Stores.Chunk);
        // What is sent at once has its checksum everywhere, what is sent in parts where the server keeps one.
        if (size <= S3Stores.Chunk || server == "new")
            Assert.Equal(put.Crc32C, (await store.StatAsync(Bucket, "k", Token))!.Crc32C);
    }

    // Of a server with checksums it is five (S3LargeObjectTests).
    [Fact]
    public async Task Put_OneGiBWithoutChecksums_TakesOneChunkOfMemory()
    {
        await using var emulator = await StartAsync(new S3EmulatorOptions { HasNoChecksums = true });
        var parts = S3Stores.Parts(emulator);
        var store = S3Stores.Open(emulator, parts);
        var put = await store.PutAsync(Bucket, "zeros", new ZeroStream(1024 * MiB), Token);
        Assert.Equal(1024 * MiB, put.Size);
        Assert.Equal(128, emulator.Count("UploadPart"));
        Assert.InRange(parts.Memory.Peak, 1, 8 * MiB);
    }

    [Fact]
    public void PartSize_TenThousandParts_HoldAnySize()
    {
        var unknown = Enumerable.Range(1, S3Limits.MaxParts).Sum(number => (long)S3Limits.Default.PartSize(number, null));
        Assert.True(unknown > 5L * MiB * MiB, $"{unknown / MiB} MiB");
        foreach (var size in (long[])[1, 8 * MiB, 80_000 * MiB, 80_001 * MiB, 5 * MiB * MiB])
            Assert.True(S3Limits.MaxParts * (long)S3Limits.Default.PartSize(1, size) >= size, $"{size}");
        Assert.Equal(8 * MiB, S3Limits.Default.PartSize(1, null));
        Assert.Equal(8 * MiB, S3Limits.Default.PartSize(100, null));
        Assert.All(Enumerable.Range(1, S3Limits.MaxParts), number => Assert.InRange(S3Limits.Default.PartSize(number, null), 5 * MiB, 5 * 1024 * MiB));
    }

    [Fact]
    public async Task Put_ResumedWithAnotherContent_IsRefusedByTheServiceAndForgotten()
    {
        await using var emulator = await StartAsync(S3Stores.SmallServer);
        var store = S3Stores.Open(emulator, limits: S3Stores.Small);
        string? kept = null;
        await using (var breaking = new FaultyStream(Content(4 * S3Stores.Chunk), failAt: 3 * S3Stores.Chunk))
            await Assert.ThrowsAsync<InvalidOperationException>(() => store.PutAsync(Bucket, "k", breaking, new UploadState(null, token => kept = token), Token));

        var failure = await FailsAsync(FailureReason.TransferFailed, () => store.PutAsync(Bucket, "k", new MemoryStream(Content(4 * S3Stores.Chunk, 2)), new UploadState(kept, token => kept = token), Token));

        Assert.True(failure.IsRetryable);
        Assert.Null(kept);
        Assert.Null(await store.StatAsync(Bucket, "k", Token));
        Assert.Equal(0, emulator.OpenUploads(Bucket));
    }

    [Fact]
    public async Task Create_WithoutTheRightToDelete_IsDoneAllTheSame()
    {
        await using var emulator = await StartAsync();
        emulator.Inject(new Fault("DeleteObject", FaultKind.Forbidden, int.MaxValue));
        Assert.NotNull(await S3Stores.Open(emulator).CreateIfAbsentAsync(Bucket, "k", Content(10), Token));
        Assert.True(S3Abilities.Of(emulator.Address).Conditions);
    }

    [Fact]
    public async Task Put_SessionExpiresAtTheFirstUpload_SaysNothingOfWhatTheServerCanDo()
    {
        await using var emulator = await StartAsync(S3Stores.SmallServer);
        var store = S3Stores.Open(emulator, limits: S3Stores.Small);
        emulator.Inject(new Fault("CreateMultipartUpload", FaultKind.ExpiredToken, times: 2));
        await FailsAsync(FailureReason.InputDenied, () => store.PutAsync(Bucket, "k", Content(3 * S3Stores.Chunk)));
        Assert.Null(S3Abilities.Of(emulator.Address).FullObjectChecksums);
        await store.PutAsync(Bucket, "k", Content(3 * S3Stores.Chunk));
        Assert.True(S3Abilities.Of(emulator.Address).FullObjectChecksums);
    }

    [Theory, InlineData("nonsense"), InlineData("a|b|c"), InlineData("")]
    public async Task Put_TokenOfSomethingElse_BeginsAtTheBeginning(string token)
    {
        await using var emulator = await StartAsync(S3Stores.SmallServer);
        var store = S3Stores.Open(emulator, limits: S3Stores.Small);
        var put = await store.PutAsync(Bucket, "k", new MemoryStream(Content(3 * S3Stores.Chunk)), new UploadState(token), Token);
        Assert.Equal(Content(3 * S3Stores.Chunk), await store.ReadAsync(put));
    }

    [Theory, InlineData(0), InlineData(10), InlineData(3 * S3Stores.Chunk)]
    public async Task Put_LongerThanItSaid_IsStoredWhole(int said)
    {
        await using var emulator = await StartAsync(S3Stores.SmallServer);
        var store = S3Stores.Open(emulator, limits: S3Stores.Small);
        var put = await store.PutAsync(Bucket, "k", new GrowingStream(Content((4 * S3Stores.Chunk) + 5), said), Token);
        Assert.Equal(Content((4 * S3Stores.Chunk) + 5), await store.ReadAsync(put));
    }

    [Fact]
    public async Task Put_ResumedBeforeAnyPart_IsStored()
    {
        await using var emulator = await StartAsync(S3Stores.SmallServer);
        var store = S3Stores.Open(emulator, limits: S3Stores.Small);
        var begun = await MultipartUpload.BeginAsync(new S3Connection(new S3Settings(emulator.Address, null, true, null), S3Stores.Parts(emulator)), new S3Target(Bucket, "k"), null, Token);
        var put = await store.PutAsync(Bucket, "k", new MemoryStream(), new UploadState(begun.Token.ToText(new S3Target(Bucket, "k"))), Token);
        Assert.Equal(0, put.Size);
        Assert.Empty(await store.ReadAsync(put));
    }

    [Fact]
    public async Task Put_UploadGivenUpByTheService_BeginsAgain()
    {
        await using var emulator = await StartAsync(S3Stores.SmallServer);
        var store = S3Stores.Open(emulator, limits: S3Stores.Small);
        var state = new UploadState(new UploadToken("gone", true).ToText(new S3Target(Bucket, "k")));
        var put = await store.PutAsync(Bucket, "k", new MemoryStream(Content(3 * S3Stores.Chunk)), state, Token);
        Assert.Equal(Content(3 * S3Stores.Chunk), await store.ReadAsync(put));
        Assert.Null(state.Token);
    }

    [Theory, InlineData("/a", "/bucket//a"), InlineData("//", "/bucket///"), InlineData("a/../b", "/bucket/a/../b"), InlineData("a/./b", "/bucket/a/./b"), InlineData(".", "/bucket/."), InlineData("a//b", "/bucket/a//b"), InlineData("%2F", "/bucket/%252F"), InlineData("a b+c", "/bucket/a%20b%2Bc")]
    public async Task Put_OddKey_IsSentAsItIs(string key, string path)
    {
        await using var emulator = await StartAsync();
        await S3Stores.Open(emulator).PutAsync(Bucket, key, "x");
        Assert.Equal(path, emulator.Requests.Last().RawPath);
        Assert.Equal(key, emulator.Requests.Last().Key);
    }

    [Theory, InlineData("/a"), InlineData("a/../b"), InlineData("ä b")]
    public async Task Put_BucketInTheHost_IsSentAsItIs(string key)
    {
        await using var emulator = await StartAsync();
        var host = emulator.Options.HostSuffix;
        // What a name server would do.
        using var http = new HttpClient(new SocketsHttpHandler { ConnectCallback = async (_, token) => new NetworkStream(await ConnectAsync(emulator.Address, token), ownsSocket: true) });
        var store = new S3ObjectStore(new S3Settings(new Uri($"http://{host}:{emulator.Address.Port}"), null, PathStyle: false, null), S3Stores.Parts(emulator), http: http);
        var put = await store.PutAsync(Bucket, key, "x");
        Assert.Equal([key], await store.KeysAsync(Bucket));
        Assert.Equal("x"u8.ToArray(), await store.ReadAsync(put));
        Assert.DoesNotContain(emulator.Requests, seen => seen.RawPath.StartsWith("/bucket", StringComparison.Ordinal));
    }

    [Fact]
    public async Task List_FiftyThousandObjects_IsPagedAndInOrder()
    {
        await using var emulator = await StartAsync();
        emulator.Fill(Bucket, Enumerable.Range(0, 50_000).Select(i => $"many/{i:D6}"));
        var keys = await S3Stores.Open(emulator).KeysAsync(Bucket, "many/");
        Assert.Equal(Enumerable.Range(0, 50_000).Select(i => $"many/{i:D6}"), keys);
        Assert.Equal(50, emulator.Count("ListObjectsV2"));
    }

    [Fact]
    public async Task List_ServerSortsOtherwise_IsPutRightOrRefused()
    {
        await using var emulator = await StartAsync(new S3EmulatorOptions { ListsInAnotherOrder = true, PageSize = 4 });
        var store = S3Stores.Open(emulator);
        foreach (var key in (string[])["a", "b/\uFFFD", "b/😀"])
            await store.PutAsync(Bucket, key, "x");
        Assert.Equal(["a", "b/\uFFFD", "b/😀"], await store.KeysAsync(Bucket));

        foreach (var key in (string[])["b/😁", "b/😂", "b/😃"])
            await store.PutAsync(Bucket, key, "x");
        var failure = await FailsAsync(FailureReason.TransferFailed, () => store.KeysAsync(Bucket));
        Assert.False(failure.IsRetryable);
        Assert.Contains("order", failure.Message, StringComparison.Ordinal);
    }

    [Theory, InlineData(false), InlineData(true)]
    public async Task Copy_LargerThanOneRequestMay_IsCopiedInPartsWithItsChecksum(bool hasNoChecksums)
    {
        await using var emulator = await StartAsync(S3Stores.SmallServer with { HasNoChecksums = hasNoChecksums });
        var store = S3Stores.Open(emulator, limits: S3Stores.Small);
        var content = Content((5 * S3Stores.Chunk) + 3);
        var source = await store.PutAsync(Bucket, "a b/ü+%", content);
        var copy = await store.CopyAsync(source, "copy", Token);
        Assert.Equal(content, await store.ReadAsync(copy));
        Assert.Equal(6, emulator.Count("UploadPartCopy"));
        Assert.Equal(Crc32C.Of(content), (await store.StatAsync(Bucket, "copy", Token))!.Crc32C);
    }

    [Fact]
    public async Task Copy_InPartsOfAReplacedSource_IsInputCorruptAndLeavesNothing()
    {
        await using var emulator = await StartAsync(S3Stores.SmallServer);
        var store = S3Stores.Open(emulator, limits: S3Stores.Small);
        var source = await store.PutAsync(Bucket, "source", Content(5 * S3Stores.Chunk));
        await store.PutAsync(Bucket, "source", Content(5 * S3Stores.Chunk, 2));
        await FailsAsync(FailureReason.InputCorrupt, () => store.CopyAsync(source, "copy", Token));
        Assert.Null(await store.StatAsync(Bucket, "copy", Token));
        Assert.Equal(0, emulator.OpenUploads(Bucket));
    }

    [Fact]
    public async Task Versions_ObjectReplacedAndDeleted_OldOneIsStillRead()
    {
        await using var emulator = await StartAsync(new S3EmulatorOptions { Versioning = true });
        var store = S3Stores.Open(emulator);
        var first = await store.PutAsync(Bucket, "k", "one");
        var second = await store.PutAsync(Bucket, "k", "one");
        Assert.NotEqual(first.Generation, second.Generation);
        Assert.Equal(second.Generation, (await store.StatAsync(Bucket, "k", Token))!.Generation);
        await store.PutAsync(Bucket, "k", "three");
        await store.DeleteAsync(Bucket, "k", Token);
        Assert.Null(await store.StatAsync(Bucket, "k", Token));
        Assert.Equal("one"u8.ToArray(), await store.ReadAsync(first));
        await store.CopyAsync(second, "copy", Token);
        Assert.Equal("one", await store.ReadTextAsync(Bucket, "copy"));
    }

    [Fact]
    public async Task Versions_Listed_ArePinnedByTheirETag()
    {
        await using var emulator = await StartAsync(new S3EmulatorOptions { Versioning = true });
        var store = S3Stores.Open(emulator);
        await store.PutAsync(Bucket, "k", "one");
        var listed = await store.ListAsync(Bucket, "", Token).SingleAsync(Token);
        Assert.Equal("one"u8.ToArray(), await store.ReadAsync(listed));
        await store.PutAsync(Bucket, "k", "two");
        await FailsAsync(FailureReason.InputCorrupt, () => store.ReadAsync(listed));
    }

    [Theory, InlineData(false), InlineData(true)]
    public async Task CreatesExclusively_AskedTwice_ProbesOnceAndLeavesNothing(bool ignoresConditions)
    {
        await using var emulator = await StartAsync(new S3EmulatorOptions { IgnoresConditions = ignoresConditions });
        Assert.Equal(!ignoresConditions, await S3Stores.Open(emulator).CreatesExclusivelyAsync(Bucket, Token));
        var requests = emulator.Requests.Count;
        Assert.Equal(!ignoresConditions, await S3Stores.Open(emulator).CreatesExclusivelyAsync(Bucket, Token));
        Assert.Equal(requests, emulator.Requests.Count);
        Assert.All(emulator.Requests, seen => Assert.StartsWith(".sisyphus/", seen.Key, StringComparison.Ordinal));
        Assert.Empty(await S3Stores.Open(emulator).KeysAsync(Bucket));
    }

    [Fact]
    public async Task CreateIfAbsent_ServerIgnoresConditions_LooksFirst()
    {
        await using var emulator = await StartAsync(new S3EmulatorOptions { IgnoresConditions = true });
        var store = S3Stores.Open(emulator);
        Assert.NotNull(await store.CreateIfAbsentAsync(Bucket, "marker", "one"u8.ToArray(), Token));
        Assert.Null(await store.CreateIfAbsentAsync(Bucket, "marker", "two"u8.ToArray(), Token));
        Assert.Equal("one", await store.ReadTextAsync(Bucket, "marker"));
    }

    [Fact]
    public async Task CreateIfAbsent_SameContentOfAnother_IsNotOnesOwn()
    {
        await using var emulator = await StartAsync();
        var store = S3Stores.Open(emulator);
        Assert.NotNull(await store.CreateIfAbsentAsync(Bucket, "marker", "same"u8.ToArray(), Token));
        Assert.Null(await store.CreateIfAbsentAsync(Bucket, "marker", "same"u8.ToArray(), Token));
    }

    private static Task<S3Emulator> StartAsync(S3EmulatorOptions? options = null) => S3Stores.StartAsync(options, Bucket);

    private static async Task<Socket> ConnectAsync(Uri address, CancellationToken cancellationToken)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(address.Host, address.Port, cancellationToken);
        return socket;
    }

    private sealed class GrowingStream(byte[] content, long said) : MemoryStream(content)
    {
        public override long Length => said;
    }
}
