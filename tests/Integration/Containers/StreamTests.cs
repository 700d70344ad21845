using Xunit;

namespace Sisyphus.Tests.Integration.Containers;

public sealed class StreamTests(EngineFixture fixture) : ContainerTest(fixture)
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task RunAsync_SinkThrows_ItsExceptionSurfacesAndTheContainerIsNotBlocked(bool main)
    {
        // Ends with a file only if its output goes on being taken after the sink has failed.
        var command = Shell("/bin/busybox head -c 33554432 /dev/zero; echo $? > /ended");
        await using var container = await Engine.CreateContainerAsync(Spec(main ? command : null), Token);
        var failure = await Assert.ThrowsAsync<InvalidDataException>(() => container.RunAsync(command, null, new ThrowingSink(), Stream.Null, Token).WaitAsync(TimeSpan.FromSeconds(30), Token));
        Assert.Equal("full", failure.Message);
        await TestWait.UntilAsync(async () => await container.StatAsync("/ended", Token) is not null, TimeSpan.FromSeconds(30));
    }

    [Fact]
    public async Task RunAsync_SourceThrows_ItsExceptionSurfaces()
    {
        var command = Tool("cat");
        await using var container = await Engine.CreateContainerAsync(Spec(command), Token);
        await Assert.ThrowsAsync<InvalidDataException>(() => container.RunAsync(command, new ThrowingSource(), Stream.Null, Stream.Null, Token).WaitAsync(TimeSpan.FromSeconds(30), Token));
    }

    [Fact]
    public async Task RunAsync_SlowSink_SlowsTheProcess()
    {
        // What is on its way fits into buffers of the system and of the engine: some megabytes, not 64.
        var command = Shell("/bin/busybox head -c 67108864 /dev/zero; echo > /ended");
        await using var container = await Engine.CreateContainerAsync(Spec(command), Token);
        var sink = new GatedSink();
        var running = container.RunAsync(command, null, sink, Stream.Null, Token);
        await sink.Waiting.WaitAsync(TimeSpan.FromSeconds(30), Token);
        for (var look = 0; look < 10; look++)
            Assert.Null(await container.StatAsync("/ended", Token));
        sink.Open();
        Assert.Equal(0, (await running).ExitCode);
        Assert.Equal(64 << 20, sink.Count);
        Assert.NotNull(await container.StatAsync("/ended", Token));
    }

    [Fact]
    public async Task RunAsync_EightAtATime_EachGetsItsOwn()
    {
        var results = await Task.WhenAll(Enumerable.Range(0, 8).Select(async n =>
        {
            var command = Shell($"/bin/busybox cat; echo {n} >&2; exit {n}");
            return await RunAsync(command, input: [.. Enumerable.Repeat((byte)('a' + n), 100_000)]);
        }));
        for (var n = 0; n < 8; n++)
        {
            Assert.Equal((n, $"{n}\n", 100_000), (results[n].Exit.ExitCode, results[n].ErrorText, results[n].Output.Length));
            Assert.All(results[n].Output, b => Assert.Equal('a' + n, b));
        }
    }

    private sealed class ThrowingSink : MemoryStream
    {
        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) => throw new InvalidDataException("full");
    }

    private sealed class ThrowingSource : MemoryStream
    {
        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) => throw new InvalidDataException("broken");
    }

    private sealed class GatedSink : MemoryStream
    {
        private readonly TaskCompletionSource _waiting = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly TaskCompletionSource _open = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public long Count { get; private set; }
        public Task Waiting => _waiting.Task;

        public void Open() => _open.TrySetResult();

        public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            _waiting.TrySetResult();
            await _open.Task.WaitAsync(cancellationToken);
            Count += buffer.Length;
        }
    }
}
