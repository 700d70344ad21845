using System.Diagnostics;
using System.Text.RegularExpressions;
using Azure.Storage;
using Azure.Storage.Blobs;
using Sisyphus.Engine.Storage;
using Sisyphus.Engine.Storage.Azure;
using Sisyphus.Engine.Storage.Transfers;
using Xunit;

namespace Sisyphus.Tests.Stores.Azure;

/// <summary>Microsoft's emulator of Azure Blob Storage, of npm, with a folder of its own.</summary>
public sealed partial class Azurite : IAsyncLifetime
{
    public const string Account = "devstoreaccount1";
    /// <summary>Public: https://learn.microsoft.com/azure/storage/common/storage-use-azurite#well-known-storage-account-and-key.</summary>
    public const string Key = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";
    private const string Version = "3.37.0";
    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(90);

    private readonly string _data = Directory.CreateTempSubdirectory("sisyphus-azurite-").FullName;
    private Process? _server;

    /// <summary><c>http://127.0.0.1:PORT/devstoreaccount1</c>.</summary>
    public Uri Endpoint { get; private set; } = null!;

    /// <summary>The service without our store.</summary>
    public BlobServiceClient Service => new(Endpoint, new StorageSharedKeyCredential(Account, Key));

    internal AzureObjectStore Open(StoreParts? parts = null, Uri? endpoint = null, AzureBlocks? blocks = null, long? largestCopy = null, string options = "") => AzureObjectStore.Open(
        StoreLocation.Parse($"az:{Account}?endpoint={endpoint ?? Endpoint}{options}"), parts ?? Parts(), blocks ?? AzureBlocks.Standard, largestCopy ?? AzureCopy.LargestAtOnce);

    internal static StoreParts Parts(TransferOptions? transfers = null, string? key = Key) => new()
    {
        Transfers = transfers ?? new TransferOptions(),
        Variable = name => name == AzureLogin.KeyVariable ? key : null,
    };

    public async ValueTask InitializeAsync()
    {
        var folder = await InstallAsync();
        var start = new ProcessStartInfo("node", [Path.Combine(folder, "node_modules", "azurite", "dist", "src", "blob", "main.js"), "--blobHost", "127.0.0.1", "--blobPort", "0", "--location", _data, "--silent", "--skipApiVersionCheck", "--disableTelemetry"])
        {
            WorkingDirectory = _data,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        _server = Process.Start(start)!;
        _server.ErrorDataReceived += (_, _) => { };
        _server.BeginErrorReadLine();
        using var late = new CancellationTokenSource(StartLimit);
        while (await _server.StandardOutput.ReadLineAsync(late.Token) is { } line)
        {
            if (Listening().Match(line) is { Success: true } match)
            {
                Endpoint = new Uri($"{match.Groups[1].Value}/{Account}");
                return;
            }
        }
        throw new InvalidOperationException("azurite has ended before it listened.");
    }

    public async ValueTask DisposeAsync()
    {
        if (_server is not null)
        {
            _server.Kill();
            await _server.WaitForExitAsync(CancellationToken.None);
            _server.Dispose();
        }
        Directory.Delete(_data, recursive: true);
    }

    /// <summary>Some hundred megabytes, which are kept for the next run.</summary>
    private static async Task<string> InstallAsync()
    {
        var cache = Environment.GetEnvironmentVariable("XDG_CACHE_HOME") is { Length: > 0 } set ? set : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".cache");
        var folder = Path.Combine(cache, "sisyphus-tests", $"azurite-{Version}");
        if (Directory.Exists(folder))
            return folder;
        var unfinished = $"{folder}.{Guid.NewGuid():N}";
        Directory.CreateDirectory(unfinished);
        var start = new ProcessStartInfo("npm", ["install", "--no-audit", "--no-fund", "--silent", "--ignore-scripts", $"azurite@{Version}"]) { WorkingDirectory = unfinished, RedirectStandardError = true, RedirectStandardOutput = true };
        using var install = Process.Start(start)!;
        var (output, error) = (install.StandardOutput.ReadToEndAsync(), install.StandardError.ReadToEndAsync());
        await install.WaitForExitAsync();
        if (install.ExitCode != 0)
            throw new InvalidOperationException($"npm can't install azurite: {await output} {await error}");
        try
        {
            Directory.Move(unfinished, folder);
        }
        catch (IOException) when (Directory.Exists(folder))
        {
            // Another run was faster.
            Directory.Delete(unfinished, recursive: true);
        }
        return folder;
    }

    [GeneratedRegex(@"listens on (http://\S+)")]
    private static partial Regex Listening();
}
