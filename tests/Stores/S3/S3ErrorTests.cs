using Sisyphus.Engine.Storage;
using Sisyphus.Engine.Storage.S3;
using Sisyphus.Engine.Tasks;
using Sisyphus.Tests.StoreEmulator.S3;
using Sisyphus.Tests.Unit.Storage;
using Xunit;
using static Sisyphus.Tests.Unit.Storage.StoreAssertions;

namespace Sisyphus.Tests.Stores.S3;

/// <summary>Settings, credentials and rights that are wrong: each says what is wrong and what to do.</summary>
public sealed class S3ErrorTests
{
    private const string Secret = "correct/secret+key";

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Bucket_Denied_IsInputDeniedAndTheOthersAreNot()
    {
        await using var emulator = await S3Stores.StartAsync(new S3EmulatorOptions { Denied = new HashSet<string> { "two" } }, "one", "two", "three");
        var store = S3Stores.Open(emulator);
        foreach (var bucket in (string[])["one", "three"])
            await store.PutAsync(bucket, "k", "x");
        foreach (var action in (Func<Task>[])[() => store.PutAsync("two", "k", "x"), () => store.KeysAsync("two"), () => store.StatAsync("two", "k", Token), () => store.CreateIfAbsentAsync("two", "k", new byte[1], Token), () => store.DeleteAsync("two", "k", Token)])
        {
            var failure = await FailsAsync(FailureReason.InputDenied, action);
            Assert.Contains("two", failure.Message, StringComparison.Ordinal);
            Assert.Contains("denied", failure.Message, StringComparison.OrdinalIgnoreCase);
        }
        Assert.False(await store.BucketExistsAsync("two", Token));
    }

    [Fact]
    public async Task Put_NoSuchBucket_IsInputMissingAndNamesIt()
    {
        await using var emulator = await S3Stores.StartAsync(new());
        var failure = await FailsAsync(FailureReason.InputMissing, () => S3Stores.Open(emulator).PutAsync("absent", "k", "x"));
        Assert.Equal($"There is no bucket 'absent' in s3://{emulator.Address.Authority}.", failure.Message);
        Assert.Equal(1, emulator.Count("PutObject"));
    }

    [Theory, InlineData("OTHERACCESSKEY", Secret, "no such access key"), InlineData(null, "wrong", "secret access key")]
    public async Task Key_Wrong_IsInputDeniedWithoutSecrets(string? accessKey, string secret, string says)
    {
        await using var emulator = await S3Stores.StartAsync(new S3EmulatorOptions { SecretKey = Secret }, "bucket");
        var store = S3Stores.Open(emulator.Address, accessKey ?? emulator.Options.AccessKey, secret);
        var failure = await FailsAsync(FailureReason.InputDenied, () => store.PutAsync("bucket", "k", "x"));
        Assert.Contains(says, failure.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(Secret, failure.ToString(), StringComparison.Ordinal);
        Assert.Equal(1, emulator.Count("PutObject"));
    }

    [Theory, InlineData(20, "behind"), InlineData(-20, "ahead of")]
    public async Task Clock_Wrong_SaysByHowMuch(int minutes, string direction)
    {
        await using var emulator = await S3Stores.StartAsync(new S3EmulatorOptions { Time = new ShiftedTime(TimeSpan.FromMinutes(minutes)) }, "bucket");
        for (var i = 0; i < 2; i++)
        {
            var failure = await FailsAsync(FailureReason.InputDenied, () => S3Stores.Open(emulator).PutAsync("bucket", "k", "x"));
            Assert.Contains($"clock is wrong: it is 20 min {direction} the service's", failure.Message, StringComparison.Ordinal);
            Assert.True(failure.IsOfTheNode);
        }
    }

    [Fact]
    public async Task Region_Wrong_SaysTheRightOne()
    {
        await using var emulator = await S3Stores.StartAsync(new S3EmulatorOptions { Region = "eu-central-1" }, "bucket");
        var failure = await FailsAsync(FailureReason.TransferFailed, () => S3Stores.Open(emulator).PutAsync("bucket", "k", "x"));
        Assert.Contains("eu-central-1", failure.Message, StringComparison.Ordinal);
        Assert.False(failure.IsRetryable);

        var there = new S3ObjectStore(new S3Settings(emulator.Address, "eu-central-1", true, null), S3Stores.Parts(emulator));
        await there.PutAsync("bucket", "k", "x");
    }

    [Fact]
    public async Task Bucket_InAnotherRegion_SaysWhich()
    {
        await using var emulator = await S3Stores.StartAsync(new S3EmulatorOptions { Elsewhere = new Dictionary<string, string> { ["bucket"] = "ap-south-1" } });
        var failure = await FailsAsync(FailureReason.TransferFailed, () => S3Stores.Open(emulator).KeysAsync("bucket"));
        Assert.Contains("region=ap-south-1", failure.Message, StringComparison.Ordinal);
        Assert.False(failure.IsRetryable);
        // Its answer has no body.
        failure = await FailsAsync(FailureReason.TransferFailed, () => S3Stores.Open(emulator).StatAsync("bucket", "k", Token));
        Assert.Contains("region=ap-south-1", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Session_Expired_IsAskedForAgainOnce()
    {
        await using var emulator = await S3Stores.StartAsync(new S3EmulatorOptions { SessionToken = "second" }, "bucket");
        var tokens = new Queue<string>(["first", "second"]);
        var parts = new StoreParts
        {
            Transfers = S3Stores.Quick,
            Variable = name => name switch { "AWS_ACCESS_KEY_ID" => emulator.Options.AccessKey, "AWS_SECRET_ACCESS_KEY" => emulator.Options.SecretKey, "AWS_SESSION_TOKEN" => tokens.Dequeue(), _ => null },
        };
        await S3Stores.Open(emulator, parts).PutAsync("bucket", "k", "x");
        Assert.Equal(2, emulator.Count("PutObject"));

        emulator.Options.SessionToken = "third";
        tokens.Enqueue("second");
        tokens.Enqueue("second");
        var failure = await FailsAsync(FailureReason.InputDenied, () => S3Stores.Open(emulator, parts).PutAsync("bucket", "k", "x"));
        Assert.Contains("expired", failure.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("second", failure.Message, StringComparison.Ordinal);
    }

    [Theory, InlineData("a/../.."), InlineData(".."), InlineData("../x"), InlineData("a\0b")]
    public async Task Put_KeyThatS3Refuses_IsInvalidDocumentBeforeAnyRequest(string key)
    {
        await using var emulator = await S3Stores.StartAsync(new(), "bucket");
        var store = S3Stores.Open(emulator);
        await FailsAsync(FailureReason.InvalidDocument, () => store.PutAsync("bucket", key, "x"));
        await FailsAsync(FailureReason.InvalidDocument, () => store.CheckWritableAsync("bucket", ["fine", key], Token));
        Assert.Empty(emulator.Requests);
    }

    [Fact]
    public async Task Profile_Missing_SaysWhatWasLookedFor()
    {
        var store = new S3ObjectStore(new S3Settings(new Uri("http://127.0.0.1:1"), null, true, "sisyphus-no-such-profile"), new StoreParts { Variable = _ => null });
        var failure = await FailsAsync(FailureReason.InputDenied, () => store.StatAsync("bucket", "k", Token));
        Assert.Contains("'sisyphus-no-such-profile'", failure.Message, StringComparison.Ordinal);
        Assert.Contains("~/.aws/config", failure.Message, StringComparison.Ordinal);
    }

    private sealed class ShiftedTime(TimeSpan by) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + by;
    }
}
