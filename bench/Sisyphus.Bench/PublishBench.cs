using System.Diagnostics;
using System.Globalization;
using System.Text.Json;

using Sisyphus.Engine.Execution.Publishing;
using Sisyphus.Engine.Storage;
using Sisyphus.Engine.Tasks;

namespace Sisyphus.Bench;

/// <summary>What exclusive publishing costs: the same outputs staged, decided and promoted beside decided and sent directly, alternating, to a folder and to an emulated Google Cloud Storage.</summary>
internal sealed class PublishBench(int megabytes, int files, int rounds)
{
    private const int SmallSize = 4096;

    private readonly string _folder = Directory.CreateTempSubdirectory("sisyphus-bench-").FullName;

    public static async Task<int> RunAsync(string root, int megabytes, int files, int rounds)
    {
        var bench = new PublishBench(megabytes, files, rounds);
        using var emulator = Process.Start(new ProcessStartInfo("dotnet", [Path.Combine(Path.GetFullPath(root), "tests/StoreEmulator/bin/Release/net10.0/Sisyphus.Tests.StoreEmulator.dll"), "bench"]) { RedirectStandardOutput = true })!;
        try
        {
            var address = (await emulator.StandardOutput.ReadLineAsync())!.TrimEnd('/');
            var outputs = bench.MakeFiles();
            await bench.CompareAsync("folder", new Uri(Path.Combine(bench._folder, "store")).AbsoluteUri, outputs);
            await bench.CompareAsync("service", $"gs:?endpoint={address}", outputs);
            return 0;
        }
        finally
        {
            emulator.Kill();
            await emulator.WaitForExitAsync();
            Directory.Delete(bench._folder, recursive: true);
        }
    }

    private async Task CompareAsync(string what, string store, IReadOnlyList<(string Name, string[] Paths)> outputs)
    {
        Directory.CreateDirectory(Path.Combine(_folder, "store"));
        var stores = ObjectStores.Open(store);
        var publisher = new OutputPublisher(path => stores.Resolve(path), stores.Scheduler);
        foreach (var (name, paths) in outputs)
        {
            List<double> staged = [], direct = [];
            // The first round of each is not counted: it compiles, connects and makes folders.
            for (var round = 0; round <= rounds; round++)
            {
                foreach (var (isDirect, times) in ((bool, List<double>)[])[(false, staged), (true, direct)])
                {
                    var seconds = await MeasureAsync(stores, publisher, paths, isDirect);
                    if (round > 0)
                        times.Add(seconds);
                }
            }
            var (exclusive, other) = (Median(staged), Median(direct));
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{what,-8} {name,-16} staged {exclusive * 1000,10:0.0} ms  direct {other * 1000,10:0.0} ms  ratio {exclusive / other,6:0.00}"));
        }
    }

    private static async Task<double> MeasureAsync(ObjectStores stores, OutputPublisher publisher, string[] paths, bool isDirect)
    {
        var task = Guid.NewGuid().ToString("N");
        OutputFile[] outputs = [.. paths.Select((path, index) => new OutputFile(path, new RemotePath(null, "bench", string.Create(CultureInfo.InvariantCulture, $"{task}/{index}"))))];
        var request = new PublicationRequest(task, Guid.NewGuid().ToString("N"), outputs[0].Remote, outputs) { Record = (_, _) => JsonSerializer.SerializeToElement("record"), Direct = isDirect };
        var started = Stopwatch.GetTimestamp();
        await publisher.PublishAsync(request, null, CancellationToken.None);
        var seconds = Stopwatch.GetElapsedTime(started).TotalSeconds;
        foreach (var output in outputs)
        {
            var location = stores.Resolve(output.Remote);
            await location.Store.DeleteAsync(location.Bucket, location.Key, CancellationToken.None);
        }
        return seconds;
    }

    private static double Median(List<double> times) => times.Order().ElementAt(times.Count / 2);

    private IReadOnlyList<(string Name, string[] Paths)> MakeFiles()
    {
        var random = new Random(1);
        string[] small = [.. Enumerable.Range(0, files).Select(index => Make(index.ToString(CultureInfo.InvariantCulture), SmallSize, 1))];
        return [("1 of 4 KiB", [small[0]]), ($"{files} of 4 KiB", small), ($"1 of {megabytes} MiB", [Make("big", 1024 * 1024, megabytes)])];

        string Make(string name, int block, int blocks)
        {
            var path = Path.Combine(_folder, name);
            var bytes = new byte[block];
            using var file = File.Create(path);
            for (var i = 0; i < blocks; i++)
            {
                random.NextBytes(bytes);
                file.Write(bytes);
            }
            return path;
        }
    }
}
