using Sisyphus.Engine.Tasks;
using Xunit;
using static Sisyphus.Tests.Unit.Storage.StoreAssertions;

namespace Sisyphus.Tests.Stores.S3;

/// <summary>What nobody has configured: the role of the machine, which the SDK looks for with variables of the process.</summary>
public sealed class S3MachineTests : S3CredentialsTests
{
    private const string Container = "AWS_CONTAINER_CREDENTIALS_FULL_URI";

    [Fact]
    public async Task Any_NoCredentialsAnywhere_SaysWhatWasLookedFor()
    {
        using var machine = NoInstance();
        // The SDK looks in many places, the first time for seconds on a busy machine.
        await IsRefusedAsync(Open(null, limit: TimeSpan.FromMinutes(1)), "There are no credentials", "AWS_ACCESS_KEY_ID", "AWS_WEB_IDENTITY_TOKEN_FILE", "~/.aws/config");
    }

    [Fact]
    public async Task Any_ContainersServiceIsNotReached_MayPass()
    {
        using var machine = NoInstance();
        // Nobody listens there.
        Environment[Container] = "http://127.0.0.1:1/role";
        using var container = new ProcessVariable(Container, Environment[Container]);
        var failure = await FailsAsync(FailureReason.TransferFailed, () => Open(null).PutAsync("bucket", "k", "x"));
        Assert.True(failure.IsRetryable);
        Assert.Contains("role of the container", failure.Message, StringComparison.Ordinal);
    }

    // A machine that runs the tests may be an instance with a role.
    private static ProcessVariable NoInstance() => new("AWS_EC2_METADATA_DISABLED", "true");
}
