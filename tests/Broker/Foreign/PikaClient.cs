using System.Diagnostics;
using Xunit;

namespace Sisyphus.Tests.Broker.Foreign;

/// <summary>Python's client pika, of Debian's package <c>python3-pika</c>.</summary>
internal static class PikaClient
{
    // Not the first one on the PATH: the package belongs to the system's.
    private const string Python = "/usr/bin/python3";

    /// <summary>Sends the bytes of a file; fails with pika's own words when the message reached no queue.</summary>
    public static async Task SendAsync(Uri broker, string exchange, string routingKey, string file, string? contentType, bool persistent)
    {
        var command = new ProcessStartInfo(Python, [Path.Combine(AppContext.BaseDirectory, "Foreign", "send.py"), broker.ToString(), file, "--exchange", exchange, "--routing-key", routingKey])
        {
            RedirectStandardError = true,
        };
        if (contentType is not null)
        {
            command.ArgumentList.Add("--content-type");
            command.ArgumentList.Add(contentType);
        }
        if (persistent)
            command.ArgumentList.Add("--persistent");
        using var process = Process.Start(command)!;
        var error = await process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        if (process.ExitCode != 0)
            throw new InvalidOperationException(error.Contains("No module named 'pika'", StringComparison.Ordinal) ? "The tests need pika: apt-get install python3-pika." : error);
    }
}
