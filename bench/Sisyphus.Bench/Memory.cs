using System.Diagnostics;
using System.Globalization;


namespace Sisyphus.Bench;

/// <summary>Peak memory of this process while a task moves 2 GiB.</summary>
internal static class Memory
{
    public const string StandardOutput = """{"image": "IMAGE", "command": ["dd", "if=/dev/zero", "bs=1048576", "count=2048"], "outputs": {"bench:stdout": ">"}, "stdout": "/data"}""";
    public const string Tree = """{"image": "IMAGE", "command": ["sh", "-c", "for i in 1 2 3 4; do dd if=/dev/zero of=/out/$i bs=1048576 count=512; done"], "outputs": {"bench:tree/": "/out/"}}""";

    public static async Task<int> RunAsync(string image, string document)
    {
        await using var bench = new Bench();
        await using var runner = bench.CreateRunner();
        await Bench.RunAsync(runner, $$"""{"image": "{{image}}", "command": ["true"], "outputs": {"bench:warm": ">"} }""");
        var before = Peak();
        var start = Stopwatch.GetTimestamp();
        var result = await Bench.RunAsync(runner, document.Replace("IMAGE", image, StringComparison.Ordinal));
        var seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
        var bytes = result.Outputs.Sum(output => output.Size);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{bytes >> 20} MiB published in {seconds:0.0} s; peak resident memory {Peak() >> 20} MiB, of which {before >> 20} MiB before (VmHWM)"));
        return 0;
    }

    private static long Peak()
    {
        using var self = Process.GetCurrentProcess();
        return self.PeakWorkingSet64;
    }
}
