using Sisyphus.Engine.Storage;
using Sisyphus.Tests.Stores.S3;
using Sisyphus.Tests.StoreEmulator.Google;
using Sisyphus.Tests.Unit.Storage;
using Xunit;

namespace Sisyphus.Tests.Stores.Google;

/// <summary>That the emulator is not only the store's own opinion.</summary>
public sealed class GoogleForeignClientTests : IAsyncLifetime
{
    private const string Bucket = "foreign";
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(3);

    private readonly NodeFolder _folder = new();
    private GoogleEmulator _emulator = null!;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _emulator = await GoogleEmulator.StartAsync(new GoogleEmulatorOptions { PageSize = 3 });
        _emulator.CreateBucket(Bucket);
    }

    public async ValueTask DisposeAsync()
    {
        await _emulator.DisposeAsync();
        _folder.Dispose();
    }

    [Fact]
    public async Task Emulator_DrivenByTheLibraryOfJavaScript_DoesWhatItExpects()
    {
        const string script = "foreign-client.mjs";
        await _folder.InstallAsync("@google-cloud/storage@7");
        File.Copy(Path.Combine(AppContext.BaseDirectory, "Google", script), Path.Combine(_folder.Path, script));
        Assert.EndsWith("done", (await RunAsync("node", script, _emulator.Address.ToString(), Bucket)).Trim(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Emulator_DrivenByGcloud_HoldsWhatTheStoreReads()
    {
        Assert.SkipUnless(IsInstalled("gcloud"), "The Google Cloud CLI is not here, and neither Debian nor npm has it.");
        var store = GoogleStores.Open(_emulator);
        var large = StoreAssertions.Content(20 * 1024 * 1024);
        await File.WriteAllBytesAsync(Path.Combine(_folder.Path, "large"), large, Token);
        await File.WriteAllTextAsync(Path.Combine(_folder.Path, "a b%#+ä😀"), "odd", Token);

        await GcloudAsync("cp", "large", $"gs://{Bucket}/up/large");
        await GcloudAsync("cp", "a b%#+ä😀", $"gs://{Bucket}/up/");
        Assert.Equal(large, await store.ReadAsync(Bucket, "up/large"));
        Assert.Equal("odd", await store.ReadTextAsync(Bucket, "up/a b%#+ä😀"));

        await store.PutAsync(Bucket, "down/from the store", large);
        await GcloudAsync("cp", $"gs://{Bucket}/down/from the store", "back");
        Assert.Equal(large, await File.ReadAllBytesAsync(Path.Combine(_folder.Path, "back"), Token));

        await GcloudAsync("cp", $"gs://{Bucket}/up/large", $"gs://{Bucket}/copy");
        Assert.Equal(large, await store.ReadAsync(Bucket, "copy"));
        await GcloudAsync("cp", "--if-generation-match=0", "large", $"gs://{Bucket}/once");
        var refused = await Assert.ThrowsAnyAsync<Exception>(() => GcloudAsync("cp", "--if-generation-match=0", "large", $"gs://{Bucket}/once"));
        Assert.Contains("412", refused.Message, StringComparison.Ordinal);

        // It ends lines with a line feed alone, whatever the content ends with.
        foreach (var (name, content) in new[] { ("cr", "x\r"), ("crlf", "x\r\n"), ("lf", "\n"), ("nothing", "") })
        {
            await File.WriteAllTextAsync(Path.Combine(_folder.Path, name), content, Token);
            await GcloudAsync("cp", name, $"gs://{Bucket}/up/");
            Assert.Equal(content, await store.ReadTextAsync(Bucket, "up/" + name));
        }

        var listed = await GcloudAsync("ls", "--recursive", $"gs://{Bucket}/");
        Assert.Contains($"gs://{Bucket}/up/a b%#+ä😀", listed, StringComparison.Ordinal);
        await GcloudAsync("rm", $"gs://{Bucket}/up/large");
        Assert.Null(await store.StatAsync(Bucket, "up/large", Token));
    }

    private static bool IsInstalled(string program) =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).Any(folder => File.Exists(Path.Combine(folder, program)));

    private Task<string> GcloudAsync(params string[] arguments) => RunAsync("gcloud", ["storage", .. arguments]);

    private async Task<string> RunAsync(string program, params string[] arguments)
    {
        using var client = _folder.Start(
            program,
            arguments,
            ("CLOUDSDK_API_ENDPOINT_OVERRIDES_STORAGE", _emulator.Address.ToString()),
            ("CLOUDSDK_AUTH_DISABLE_CREDENTIALS", "true"),
            ("CLOUDSDK_CORE_PROJECT", "test"),
            ("CLOUDSDK_CORE_DISABLE_PROMPTS", "true"),
            ("CLOUDSDK_STORAGE_PARALLEL_COMPOSITE_UPLOAD_ENABLED", "false"),
            ("CLOUDSDK_CONFIG", Path.Combine(_folder.Path, "gcloud")),
            ("PYTHONUTF8", "1"));
        using var late = CancellationTokenSource.CreateLinkedTokenSource(Token);
        late.CancelAfter(Limit);
        var (output, error) = (client.StandardOutput.ReadToEndAsync(late.Token), client.StandardError.ReadToEndAsync(late.Token));
        try
        {
            await client.WaitForExitAsync(late.Token);
        }
        finally
        {
            client.Kill(entireProcessTree: true);
        }
        return client.ExitCode == 0 ? await output : throw new InvalidOperationException($"{program} {string.Join(' ', arguments)}: {await output}{await error}");
    }
}
