using Sisyphus.Engine.Storage;
using Sisyphus.Engine.Storage.S3;
using Sisyphus.Engine.Storage.Transfers;
using Sisyphus.Engine.Tasks;
using Sisyphus.Tests.StoreEmulator.S3;
using Sisyphus.Tests.Unit.Storage;
using Xunit;
using static Sisyphus.Tests.Unit.Storage.StoreAssertions;

namespace Sisyphus.Tests.Stores.S3;

/// <summary>A store, the services that hand out credentials for it, and the files of a user.</summary>
public abstract class S3CredentialsTests : IAsyncLifetime
{
    private protected const string Role = "arn:aws:iam::111122223333:role/lab";
    private protected const string SignOnToken = "the-login-of-somebody";

    private protected TemporaryFolder Folder { get; } = new();

    private protected Dictionary<string, string> Environment { get; } = [];

    private protected S3Emulator S3 { get; private set; } = null!;

    private protected TokenEmulator Tokens { get; private set; } = null!;

    private protected static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        S3 = await S3Stores.StartAsync(new() { SecretKey = "secret-of-the-user" }, "bucket");
        Tokens = await TokenEmulator.StartAsync(S3.Options);
        Tokens.Roles[Role] = "";
        Environment["HOME"] = Folder.Path;
        Environment["AWS_SHARED_CREDENTIALS_FILE"] = Folder["credentials"];
        foreach (var service in (string[])["STS", "SSO", "SSO_OIDC"])
            Environment[$"AWS_ENDPOINT_URL_{service}"] = Tokens.Address.AbsoluteUri;
        await File.WriteAllTextAsync(Folder["credentials"], $"[user]\naws_access_key_id = {S3.Options.AccessKey}\naws_secret_access_key = {S3.Options.SecretKey}\n", Token);
    }

    public async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        await Tokens.DisposeAsync();
        await S3.DisposeAsync();
        Folder.Dispose();
    }

    private protected S3ObjectStore Open(string? profile, TimeSpan? limit = null)
    {
        var quick = S3Stores.Quick;
        var parts = new StoreParts
        {
            Transfers = new TransferOptions { BaseDelay = quick.BaseDelay, StallTimeout = limit ?? quick.StallTimeout },
            Variable = Environment.GetValueOrDefault,
        };
        return new(new S3Settings(S3.Address, null, PathStyle: true, profile), parts);
    }

    private protected void Config(string text) => File.WriteAllText(Folder["config"], text);

    private protected static async Task IsRefusedAsync(S3ObjectStore store, params string[] says)
    {
        var failure = await FailsAsync(FailureReason.InputDenied, () => store.PutAsync("bucket", "k", "x"));
        foreach (var part in says)
            Assert.Contains(part, failure.Message, StringComparison.Ordinal);
        HasNoSecret(failure);
    }

    private protected static void HasNoSecret(TaskFailureException failure)
    {
        foreach (var secret in (string[])["secret-of", "token-of", SignOnToken, "a-token", "refresh-"])
            Assert.DoesNotContain(secret, failure.ToString(), StringComparison.Ordinal);
    }
}
