using System.Diagnostics;
using Xunit;

namespace Sisyphus.Tests.Broker.Wire;

/// <summary>Python's pika, used as CovertLab's Sisyphus uses it.</summary>
internal static class OriginalClient
{
    private const string Python = "/usr/bin/python3";

    /// <summary>Declares the original's objects and sends each text as a task.</summary>
    public static Task SendAsync(Uri broker, IReadOnlyList<string> texts, string workflow = "sisyphus") => RunAsync(broker, string.Join('\n', texts), "send", workflow);

    /// <summary>Takes the dead letters away.</summary>
    /// <returns>A JSON object of each: id, reason, message, body.</returns>
    public static async Task<IReadOnlyList<string>> ReadLettersAsync(Uri broker) =>
        (await RunAsync(broker, "", "letters")).Split('\n', StringSplitOptions.RemoveEmptyEntries);

    private static async Task<string> RunAsync(Uri broker, string input, params string[] arguments)
    {
        var token = TestContext.Current.CancellationToken;
        using var process = Process.Start(new ProcessStartInfo(Python, [Path.Combine(AppContext.BaseDirectory, "Wire", "original.py"), broker.ToString(), .. arguments])
        {
            RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true,
        })!;
        await process.StandardInput.WriteAsync(input.AsMemory(), token);
        process.StandardInput.Close();
        var error = process.StandardError.ReadToEndAsync(token);
        var output = await process.StandardOutput.ReadToEndAsync(token);
        await process.WaitForExitAsync(token);
        return process.ExitCode == 0 ? output : throw new InvalidOperationException(await error);
    }
}
