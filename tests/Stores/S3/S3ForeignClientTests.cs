using Xunit;

namespace Sisyphus.Tests.Stores.S3;

/// <summary>That the emulator is not only the store's own opinion.</summary>
public sealed class S3ForeignClientTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task Emulator_DrivenByTheSdkOfJavaScript_DoesWhatItExpects()
    {
        const string script = "foreign-client.mjs";
        await using var emulator = await S3Stores.StartAsync(null, "bucket");
        using var folder = new NodeFolder();
        // The last line that runs on every Node.js from 18 on.
        await folder.InstallAsync("@aws-sdk/client-s3@3.850.0");
        File.Copy(Path.Combine(AppContext.BaseDirectory, "S3", script), Path.Combine(folder.Path, script));
        using var client = folder.Start(
            "node", [script, emulator.Address.ToString(), "bucket"], ("AWS_ACCESS_KEY_ID", emulator.Options.AccessKey), ("AWS_SECRET_ACCESS_KEY", emulator.Options.SecretKey));
        using var late = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        late.CancelAfter(Limit);
        var (output, error) = (client.StandardOutput.ReadToEndAsync(late.Token), client.StandardError.ReadToEndAsync(late.Token));
        try
        {
            await client.WaitForExitAsync(late.Token);
        }
        finally
        {
            client.Kill();
        }
        Assert.True(client.ExitCode == 0, await error);
        Assert.EndsWith("done", (await output).Trim(), StringComparison.Ordinal);
    }
}
