using System.Diagnostics;
using System.Globalization;
using Xunit;

namespace Sisyphus.Tests.Broker.Faults;

/// <summary>
/// A network of its own, with nothing but a loopback interface, whose packets can be dropped: the kernel on both sides sees what it sees of a
/// bad line. Who makes one is a process, so a test runs a second one in it, with its explicit part.
/// </summary>
internal static class NetworkNamespace
{
    private const string Variable = "SISYPHUS_TEST_NAMESPACE";

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public static bool IsInside => Environment.GetEnvironmentVariable(Variable) is { Length: > 0 };

    /// <summary>Runs an explicit test inside, and fails with it; what it says is said here.</summary>
    public static async Task RunAsync(string method)
    {
        string[] unshare = Environment.IsPrivilegedProcess ? ["unshare", "--net"] : ["unshare", "--net", "--user", "--map-root-user"];
        var (code, said) = await RunAsync([.. unshare, "sh", "-c", $"ip link set lo up && iptables -w -A OUTPUT {Dropping(1, 0.2)}"]);
        Assert.SkipWhen(code != 0, $"Needs a network namespace and iptables in it, and this user or this kernel has none: {said.Trim()}");
        var dll = typeof(NetworkNamespace).Assembly.Location;
        string[] tests = Path.GetFileNameWithoutExtension(Environment.ProcessPath) == "dotnet" ? [Environment.ProcessPath!, dll] : [Environment.ProcessPath!];
        (code, said) = await RunAsync([.. unshare, "sh", "-c", "ip link set lo up && exec \"$@\"", "sh", .. tests, "-explicit", "only", "-method", method, "-showLiveOutput", "-noColor"]);
        TestContext.Current.TestOutputHelper?.WriteLine(string.Join('\n', said.Split('\n').Where(line => line.Contains('|', StringComparison.Ordinal)).Select(line => line[line.IndexOf('|', StringComparison.Ordinal)..])));
        Assert.True(code == 0, said);
    }

    /// <summary>From now on packets to the port, or from it, are lost at random.</summary>
    public static async Task LoseAsync(int port, double share)
    {
        Assert.True(IsInside);
        foreach (var rule in (string[])[Dropping(port, share), Dropping(port, share).Replace("--dport", "--sport", StringComparison.Ordinal)])
            await DoAsync($"iptables -w -A OUTPUT {rule}");
    }

    /// <returns>Packets that were lost.</returns>
    public static async Task<long> HealAsync()
    {
        var counted = await DoAsync("iptables -w -L OUTPUT -v -x -n");
        await DoAsync("iptables -w -F OUTPUT");
        return counted.Split('\n').Where(line => line.Contains("DROP", StringComparison.Ordinal)).Sum(line => long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[0], CultureInfo.InvariantCulture));
    }

    private static string Dropping(int port, double share) =>
        string.Create(CultureInfo.InvariantCulture, $"-p tcp --dport {port} -m statistic --mode random --probability {share} -j DROP");

    private static async Task<string> DoAsync(string command)
    {
        var (code, said) = await RunAsync(["sh", "-c", command]);
        return code == 0 ? said : throw new InvalidOperationException($"'{command}' has ended with {code}: {said}");
    }

    private static async Task<(int Code, string Said)> RunAsync(string[] command)
    {
        var start = new ProcessStartInfo("/usr/bin/env", command) { RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment[Variable] = "inside";
        // Who is root only in there may not write into the machine's.
        start.Environment["XTABLES_LOCKFILE"] = Path.Combine(Path.GetTempPath(), $"sisyphus-xtables-{Environment.ProcessId}.lock");
        using var process = Process.Start(start)!;
        try
        {
            var errors = process.StandardError.ReadToEndAsync(Token);
            var said = await process.StandardOutput.ReadToEndAsync(Token);
            await process.WaitForExitAsync(Token);
            return (process.ExitCode, said + await errors);
        }
        finally
        {
            if (!process.HasExited)
                process.Kill(entireProcessTree: true);
            File.Delete(start.Environment["XTABLES_LOCKFILE"]!);
        }
    }
}
