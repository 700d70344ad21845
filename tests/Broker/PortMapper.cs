using System.Diagnostics;
using System.Globalization;

namespace Sisyphus.Tests.Broker;

/// <summary>The port mapper (epmd) by which the Erlang nodes of one broker, or of one cluster, find each other, and the cookie by which they let each other in.</summary>
internal sealed class PortMapper : IAsyncDisposable
{
    private readonly BrokerGuard _guard = new(Directory.CreateTempSubdirectory("sisyphus-epmd-").FullName);
    private Process? _process;

    public int Port { get; } = FreePorts.Next();
    public string Cookie { get; } = Guid.NewGuid().ToString("n");

    /// <summary>Once; called by each broker that needs it, one after the other.</summary>
    public async Task StartAsync()
    {
        if (_process is not null)
            return;
        _process = Process.Start(new ProcessStartInfo(
            "setsid", ["/bin/sh", "-c", "exec \"$@\" </dev/null >/dev/null 2>&1", "sh", "epmd", "-port", Port.ToString(CultureInfo.InvariantCulture), "-address", "127.0.0.1"]))!;
        await _guard.WatchAsync(_process.Id);
    }

    public async ValueTask DisposeAsync()
    {
        await _guard.DisposeAsync();
        if (_process is null)
            return;
        await _process.WaitForExitAsync(CancellationToken.None);
        _process.Dispose();
    }
}
