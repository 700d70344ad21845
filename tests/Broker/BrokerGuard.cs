using System.Diagnostics;

namespace Sisyphus.Tests.Broker;

/// <summary>
/// A shell that outlives this process for a moment: when the other end of its input is gone, for whatever reason, it kills the processes
/// it was last told of and removes the folder. So a test run that is killed leaves no broker behind.
/// </summary>
internal sealed class BrokerGuard(string folder) : IAsyncDisposable
{
    private const string Script = """
        trap '' INT TERM HUP
        while read -r line; do pids=$line; done
        [ -z "$pids" ] || kill -KILL $pids
        rm -rf -- "$0" 2>/dev/null || { sleep 1; rm -rf -- "$0"; }
        """;

    private readonly Process _shell = Process.Start(new ProcessStartInfo("setsid", ["/bin/sh", "-c", Script, folder]) { RedirectStandardInput = true })!;

    /// <summary>Whom to kill from now on, in place of those named before.</summary>
    public async Task WatchAsync(params int[] processes)
    {
        await _shell.StandardInput.WriteLineAsync(string.Join(' ', processes));
        await _shell.StandardInput.FlushAsync();
    }

    /// <summary>Returns when they are killed and the folder is gone.</summary>
    public async ValueTask DisposeAsync()
    {
        _shell.StandardInput.Close();
        await _shell.WaitForExitAsync(CancellationToken.None);
        _shell.Dispose();
    }
}
