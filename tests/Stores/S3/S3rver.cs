using System.Diagnostics;
using Xunit;

namespace Sisyphus.Tests.Stores.S3;

/// <summary>A server of somebody else's making: npm's s3rver, older than conditional writes and checksums, installed and run in a temporary folder.</summary>
public sealed class S3rver : IAsyncLifetime
{
    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(60);
    private readonly NodeFolder _folder = new();
    private Process? _server;

    public const string AccessKey = "S3RVER";
    public const string SecretKey = "S3RVER";

    public Uri Address { get; private set; } = null!;

    /// <summary>Buckets are folders in it.</summary>
    public string Data => Path.Combine(_folder.Path, "data");

    public async ValueTask InitializeAsync()
    {
        await _folder.InstallAsync("s3rver@3.7.1");
        Directory.CreateDirectory(Data);
        // The tokens of its paged lists are encrypted with what OpenSSL 3 calls legacy. It has no handler for many an error of its disk, and would end.
        await File.WriteAllTextAsync(Path.Combine(_folder.Path, "stay.js"), "process.on('uncaughtException', error => console.error(error));");
        _server = _folder.Start(
            "node", ["node_modules/.bin/s3rver", "--directory", Data, "--address", "127.0.0.1", "--port", "0", "--silent", "--no-vhost-buckets"], ("NODE_OPTIONS", "--openssl-legacy-provider --require ./stay.js"));
        _server.ErrorDataReceived += (_, _) => { };
        _server.BeginErrorReadLine();
        using var late = new CancellationTokenSource(StartLimit);
        const string mark = " on ";
        while (await _server.StandardOutput.ReadLineAsync(late.Token) is { } line)
        {
            if (line.Contains(mark, StringComparison.Ordinal))
            {
                Address = new Uri("http://" + line[(line.IndexOf(mark, StringComparison.Ordinal) + mark.Length)..]);
                return;
            }
        }
        throw new InvalidOperationException("s3rver has ended before it listened.");
    }

    public async ValueTask DisposeAsync()
    {
        if (_server is not null)
        {
            _server.Kill();
            await _server.WaitForExitAsync(CancellationToken.None);
            _server.Dispose();
        }
        _folder.Dispose();
    }
}
