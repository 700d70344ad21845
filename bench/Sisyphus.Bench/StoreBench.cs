using System.Diagnostics;
using System.Globalization;

namespace Sisyphus.Bench;

/// <summary>Copies to and from an emulated Google Cloud Storage: <c>Copy-SisyphusObject</c> in the host beside <c>gcloud storage cp</c> and <c>curl</c>, in turn, each against a fresh emulator. GNU time says how long and how much memory.</summary>
internal sealed class StoreBench(string root, int megabytes, int files, int rounds)
{
    private const int SmallSize = 4096;
    private const int Parallel = 16;

    private readonly string _folder = Directory.CreateTempSubdirectory("sisyphus-bench-").FullName;
    private readonly Dictionary<string, List<(double Seconds, long Kilobytes)>> _results = [];

    private string Big => Path.Combine(_folder, "big");
    private string Small => Path.Combine(_folder, "small");
    private string Host => Path.Combine(root, "src/Sisyphus.Host/bin/Release/net10.0/sisyphus");

    public static async Task<int> RunAsync(string root, int megabytes, int files, int rounds)
    {
        var bench = new StoreBench(Path.GetFullPath(root), megabytes, files, rounds);
        try
        {
            bench.MakeFiles();
            for (var round = 0; round < rounds; round++)
            {
                foreach (var contender in (string[])["sisyphus", "gcloud", "curl"])
                    await bench.RunAsync(contender);
            }
            bench.Report();
            return 0;
        }
        finally
        {
            Directory.Delete(bench._folder, recursive: true);
        }
    }

    private async Task RunAsync(string contender)
    {
        using var emulator = Process.Start(new ProcessStartInfo("dotnet", [Path.Combine(root, "tests/StoreEmulator/bin/Release/net10.0/Sisyphus.Tests.StoreEmulator.dll"), "bench"]) { RedirectStandardOutput = true })!;
        try
        {
            var address = (await emulator.StandardOutput.ReadLineAsync())!.TrimEnd('/');
            foreach (var (step, command) in Steps(contender, address))
                await MeasureAsync($"{step} {contender}", command, address);
        }
        finally
        {
            emulator.Kill();
            await emulator.WaitForExitAsync();
            foreach (var back in Directory.EnumerateFileSystemEntries(_folder, "back-*"))
            {
                if (Directory.Exists(back))
                    Directory.Delete(back, recursive: true);
                else
                    File.Delete(back);
            }
        }
    }

    private IEnumerable<(string Step, string[] Command)> Steps(string contender, string address)
    {
        var (bigBack, smallBack) = (Path.Combine(_folder, "back-big"), Path.Combine(_folder, "back-small"));
        switch (contender)
        {
            case "sisyphus":
                yield return ("1 large up  ", Module($"Copy-SisyphusObject {Big} bench:big"));
                yield return ("2 large down", Module($"Copy-SisyphusObject bench:big {bigBack}"));
                yield return ("3 small up  ", Module($"Copy-SisyphusObject {Small} bench:small/ -Recurse"));
                yield return ("4 small down", Module($"Copy-SisyphusObject bench:small/ {smallBack}/ -Recurse"));
                break;
            case "gcloud":
                Directory.CreateDirectory(smallBack);
                yield return ("1 large up  ", ["gcloud", "storage", "cp", "-q", Big, "gs://bench/big"]);
                yield return ("2 large down", ["gcloud", "storage", "cp", "-q", "gs://bench/big", bigBack]);
                yield return ("3 small up  ", ["gcloud", "storage", "cp", "-q", "-r", Small, "gs://bench/"]);
                yield return ("4 small down", ["gcloud", "storage", "cp", "-q", "-r", "gs://bench/small", smallBack]);
                break;
            default:
                Directory.CreateDirectory(smallBack);
                yield return ("1 large up  ", ["curl", "-sfS", "-X", "POST", "-H", "Content-Type: application/octet-stream", "-T", Big, "-o", "/dev/null", $"{address}/upload/storage/v1/b/bench/o?uploadType=media&name=big"]);
                yield return ("2 large down", ["curl", "-sfS", "-o", bigBack, $"{address}/download/storage/v1/b/bench/o/big?alt=media"]);
                yield return ("3 small up  ", Many("up", index => $"url = \"{address}/upload/storage/v1/b/bench/o?uploadType=media&name=small/{index}\"\nupload-file = \"{Small}/{index}\"\nrequest = POST\noutput = /dev/null\n"));
                yield return ("4 small down", Many("down", index => $"url = \"{address}/download/storage/v1/b/bench/o/small%2F{index}?alt=media\"\noutput = \"{smallBack}/{index}\"\n"));
                break;
        }

        string[] Module(string command) => [Host, "-Command", $"$ErrorActionPreference = 'Stop'; $ProgressPreference = 'SilentlyContinue'; Import-Module {Path.Combine(root, "Sisyphus.psd1")}; {command} -Store 'gs:?endpoint={address}'"];
    }

    private string[] Many(string name, Func<int, string> entry)
    {
        var path = Path.Combine(_folder, $"curl-{name}");
        File.WriteAllLines(path, Enumerable.Range(0, files).Select(entry));
        return ["curl", "-sfS", "--parallel", "--parallel-max", Parallel.ToString(CultureInfo.InvariantCulture), "--config", path];
    }

    private async Task MeasureAsync(string what, string[] command, string address)
    {
        var report = Path.Combine(_folder, "time");
        var start = new ProcessStartInfo("/usr/bin/time", ["-f", "%e %M", "-o", report, .. command])
        {
            Environment =
            {
                ["CLOUDSDK_API_ENDPOINT_OVERRIDES_STORAGE"] = address + "/",
                ["CLOUDSDK_AUTH_DISABLE_CREDENTIALS"] = "true",
                ["CLOUDSDK_CORE_PROJECT"] = "bench",
                ["CLOUDSDK_CORE_DISABLE_PROMPTS"] = "true",
                ["CLOUDSDK_STORAGE_PARALLEL_COMPOSITE_UPLOAD_ENABLED"] = "false",
                ["CLOUDSDK_CONFIG"] = Path.Combine(_folder, "gcloud"),
                ["HOME"] = _folder,
            },
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using var process = Process.Start(start)!;
        var (output, errors) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        await process.WaitForExitAsync();
        if (process.ExitCode != 0)
            throw new InvalidOperationException($"{what}: {await output}{await errors}");
        var numbers = (await File.ReadAllLinesAsync(report))[^1].Split(' ');
        var result = (double.Parse(numbers[0], CultureInfo.InvariantCulture), long.Parse(numbers[1], CultureInfo.InvariantCulture));
        if (!_results.TryGetValue(what, out var results))
            _results[what] = results = [];
        results.Add(result);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{what,-24} {result.Item1,8:0.0} s {result.Item2 / 1024,6} MiB"));
    }

    private void Report()
    {
        Console.WriteLine($"medians of {rounds}:");
        foreach (var (what, results) in _results.OrderBy(entry => entry.Key, StringComparer.Ordinal))
        {
            var seconds = results.Select(result => result.Seconds).Order().ElementAt(results.Count / 2);
            var amount = what.Contains("large", StringComparison.Ordinal) ? $"{megabytes / seconds:0} MiB/s" : $"{files / seconds:0} objects/s";
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{what,-24} {seconds,8:0.0} s {amount,16} peak {results.Max(result => result.Kilobytes) / 1024,6} MiB"));
        }
    }

    private void MakeFiles()
    {
        var block = new byte[1024 * 1024];
        var random = new Random(1);
        using (var big = File.Create(Big))
        {
            for (var i = 0; i < megabytes; i++)
            {
                random.NextBytes(block);
                big.Write(block);
            }
        }
        Directory.CreateDirectory(Small);
        for (var i = 0; i < files; i++)
        {
            random.NextBytes(block.AsSpan(0, SmallSize));
            File.WriteAllBytes(Path.Combine(Small, i.ToString(CultureInfo.InvariantCulture)), block.AsSpan(0, SmallSize).ToArray());
        }
    }
}
