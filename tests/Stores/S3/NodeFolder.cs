using System.Diagnostics;
using Xunit;

namespace Sisyphus.Tests.Stores.S3;

/// <summary>A temporary folder with packages of npm.</summary>
internal sealed class NodeFolder : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("sisyphus-node-").FullName;

    public async Task InstallAsync(string package)
    {
        using var install = Start("npm", ["install", "--no-audit", "--no-fund", "--silent", package]);
        var (output, error) = (install.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken), install.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken));
        await install.WaitForExitAsync(TestContext.Current.CancellationToken);
        if (install.ExitCode != 0)
            throw new InvalidOperationException($"npm can't install {package}: {await output} {await error}");
    }

    /// <summary>Starts a program in the folder.</summary>
    public Process Start(string program, IEnumerable<string> arguments, params (string Name, string Value)[] environment)
    {
        var start = new ProcessStartInfo(program, arguments) { WorkingDirectory = Path, RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var (name, value) in environment)
            start.Environment[name] = value;
        return Process.Start(start)!;
    }

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
