using System.Diagnostics;

using Xunit;

namespace Sisyphus.Tests.Integration.Containers;

/// <summary>Measures the memory of the whole test process, so nothing else runs meanwhile.</summary>
[Collection(nameof(Alone))]
public sealed class LargeOutputTests(EngineFixture fixture, ITestOutputHelper report) : ContainerTest(fixture)
{
    [Theory]
    [InlineData(true, 2L << 30)]
    [InlineData(false, 512L << 20)]
    public async Task RunAsync_GigabytesOfOutput_MemoryStaysFlat(bool main, long size)
    {
        var command = Tool("head", "-c", size.ToString(System.Globalization.CultureInfo.InvariantCulture), "/dev/zero");
        await using var container = await Engine.CreateContainerAsync(Spec(main ? command : null), Token);
        using var process = Process.GetCurrentProcess();
        var sink = new CountingSink(process);
        GC.Collect();
        process.Refresh();
        var (before, managed) = (process.WorkingSet64, GC.GetTotalMemory(forceFullCollection: true));
        var watch = Stopwatch.StartNew();
        var exit = await container.RunAsync(command, null, sink, Stream.Null, Token);
        var seconds = watch.Elapsed.TotalSeconds;
        report.WriteLine($"{size / seconds / 1e6:0} MB/s, working set {(sink.Peak - before) >> 20} MiB up at most");
        Assert.Equal((0, size), (exit.ExitCode, sink.Count));
        // What the collector leaves before it cleans up depends on the processor's caches: 30 to 75 MiB were seen.
        Assert.InRange(sink.Peak - before, long.MinValue, 128 << 20);
        Assert.InRange(GC.GetTotalMemory(forceFullCollection: true) - managed, long.MinValue, 16 << 20);
    }

    private sealed class CountingSink(Process process) : MemoryStream
    {
        private long _next;

        public long Count { get; private set; }
        public long Peak { get; private set; }

        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            Count += buffer.Length;
            if (Count >= _next)
            {
                _next = Count + (64 << 20);
                process.Refresh();
                Peak = Math.Max(Peak, process.WorkingSet64);
            }
            return ValueTask.CompletedTask;
        }
    }
}
