using Sisyphus.Engine.Google;
using Sisyphus.Engine.Storage;
using Sisyphus.Engine.Storage.Google;
using Sisyphus.Engine.Tasks;
using Sisyphus.Tests.StoreEmulator.Google;
using Sisyphus.Tests.Unit.Storage;
using Xunit;
using static Sisyphus.Tests.Unit.Storage.StoreAssertions;

namespace Sisyphus.Tests.Stores.Google;

/// <summary>Locations, projects and credentials.</summary>
public sealed class GoogleSettingsTests : IAsyncLifetime
{
    private GoogleEmulator _emulator = null!;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _emulator = await GoogleEmulator.StartAsync();
        _emulator.CreateBucket("bucket");
    }

    public ValueTask DisposeAsync() => _emulator.DisposeAsync();

    [Theory]
    [InlineData("gs:", null, "gs://")]
    [InlineData("gs:", "127.0.0.1:9", "gs://?endpoint=http://127.0.0.1:9")]
    [InlineData("gs:", "http://localhost:9/", "gs://?endpoint=http://localhost:9")]
    [InlineData("gs:?endpoint=https://storage.private.example/", "127.0.0.1:9", "gs://?endpoint=https://storage.private.example")]
    [InlineData("gs:?endpoint=http://127.0.0.1:9&user-project=p&project=q&directory-markers=true", null, "gs://?endpoint=http://127.0.0.1:9")]
    public void Open_AnyLocation_AsksNobodyAndHasTheName(string location, string? emulator, string name) =>
        Assert.Equal(name, Open(location, emulator).Name);

    [Theory]
    [InlineData("gs:account", null, "no account")]
    [InlineData("gs:?projekt=p", null, "projekt")]
    [InlineData("gs:?endpoint=http://storage.example", null, "https")]
    [InlineData("gs:?endpoint=ftp://storage.example", null, "endpoint")]
    [InlineData("gs:?directory-markers=maybe", null, "true or false")]
    [InlineData("gs:", "http://user:secret@localhost:9", "STORAGE_EMULATOR_HOST")]
    [InlineData("gs:", "ftp://localhost:9", "STORAGE_EMULATOR_HOST")]
    public void Open_WhatCannotBe_SaysWhat(string location, string? emulator, string word)
    {
        var error = Assert.Throws<FormatException>(() => Open(location, emulator));
        Assert.Contains(word, error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", error.Message, StringComparison.Ordinal);
    }

    [Theory, InlineData("gs:?project=p", true), InlineData("gs:?project=p&endpoint=", false)]
    public async Task Any_Emulator_SeesNoCredentials(string location, bool byVariable)
    {
        var address = _emulator.Address.ToString();
        var store = byVariable ? Open(location, address) : Open(location + address, null);
        await store.PutAsync("bucket", "k", "x");
        Assert.Equal(["bucket"], await store.ListBucketsAsync(Token).ToListAsync(Token));
        Assert.All(_emulator.Requests, seen => Assert.Null(seen.Header("Authorization")));
    }

    [Fact]
    public async Task Any_Credentials_SendTokenAndQuotaProject()
    {
        using var tokens = new GoogleTokens { QuotaProject = "payer" };
        _emulator.Options.Tokens = new HashSet<string> { "token-1" };
        var store = GoogleStores.Open(_emulator, credentials: tokens.Credentials);
        await store.PutAsync("bucket", "k", Content(GoogleStores.Chunk));
        await store.ReadAsync("bucket", "k");
        Assert.All(_emulator.Requests, seen => Assert.Equal(("Bearer token-1", "payer"), (seen.Header("Authorization"), seen.Header("x-goog-user-project"))));
        Assert.Equal(1, tokens.Given);
    }

    [Fact]
    public async Task Any_TokenRefused_AsksForAnotherOnce()
    {
        using var tokens = new GoogleTokens();
        _emulator.Options.Tokens = new HashSet<string> { "token-2" };
        var store = GoogleStores.Open(_emulator, credentials: tokens.Credentials);
        await store.PutAsync("bucket", "k", "x");
        Assert.Equal((2, 2), (tokens.Given, _emulator.Requests.Count));
    }

    [Fact]
    public async Task Any_EveryTokenRefused_IsInputDeniedWithoutTheToken()
    {
        using var tokens = new GoogleTokens();
        _emulator.Options.Tokens = new HashSet<string>();
        var store = GoogleStores.Open(_emulator, credentials: tokens.Credentials);
        var failure = await FailsAsync(FailureReason.InputDenied, () => store.PutAsync("bucket", "k", "x"));
        Assert.Contains("credentials", failure.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("token-", failure.ToString(), StringComparison.Ordinal);
        Assert.Equal(2, _emulator.Requests.Count);
    }

    [Fact]
    public async Task Any_NoCredentials_SaysWhatToDo()
    {
        using var none = new GoogleCredentials(new GoogleSurroundings(name => name == "NO_GCE_CHECK" ? "true" : null, Path.Combine(Path.GetTempPath(), Guid.NewGuid().ToString("N")), Windows: false), TimeProvider.System);
        var store = GoogleStores.Open(_emulator, credentials: none);
        var failure = await FailsAsync(FailureReason.InputDenied, () => store.PutAsync("bucket", "k", "x"));
        Assert.Contains("bucket:k", failure.Message, StringComparison.Ordinal);
        Assert.Contains("gcloud auth application-default login", failure.Message, StringComparison.Ordinal);
        Assert.Empty(_emulator.Requests);
    }

    [Fact]
    public async Task Any_UserProject_PaysForEveryRequest()
    {
        using var tokens = new GoogleTokens { QuotaProject = "other" };
        _emulator.CreateBucket("paid", requesterPays: true);
        var store = GoogleStores.Open(_emulator, "user-project=my%20project", credentials: tokens.Credentials);
        var put = await store.PutAsync("paid", "k", Content(GoogleStores.Chunk + 1));
        await store.ReadAsync(put);
        await store.CopyAsync(put, "copy", Token);
        Assert.Equal(["copy", "k"], await store.KeysAsync("paid"));
        Assert.True(await store.BucketExistsAsync("paid", Token));
        await store.DeleteAsync("paid", "k", Token);
        Assert.All(_emulator.Requests.Where(seen => seen.Operation != "upload.chunk"), seen => Assert.Contains("userProject=my%20project", seen.RawTarget, StringComparison.Ordinal));
        Assert.All(_emulator.Requests, seen => Assert.Null(seen.Header("x-goog-user-project")));
    }

    [Fact]
    public async Task Any_NobodyPays_SaysHowToNameWho()
    {
        _emulator.CreateBucket("paid", requesterPays: true);
        var failure = await FailsAsync(FailureReason.InputDenied, () => GoogleStores.Open(_emulator).PutAsync("paid", "k", "x"));
        Assert.Contains("user-project=", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ListBuckets_ProjectOfTheCredentials_IsAsked()
    {
        using var tokens = new GoogleTokens();
        var store = GoogleObjectStore.Open(StoreLocation.Parse("gs:"), GoogleStores.Parts(_emulator), tokens.Credentials, GoogleStores.Chunk);
        Assert.Equal(["bucket"], await store.ListBucketsAsync(Token).ToListAsync(Token));
        Assert.Contains("project=machine-project", _emulator.Requests.Single().RawTarget, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ListBuckets_NoProject_SaysHowToNameOne()
    {
        var failure = await FailsAsync(FailureReason.InputMissing, async () => await Open("gs:", _emulator.Address.ToString()).ListBucketsAsync(Token).ToListAsync(Token));
        Assert.Contains("gs:?project=PROJECT", failure.Message, StringComparison.Ordinal);
    }

    private static IObjectStore Open(string location, string? emulator) => GoogleObjectStore.Open(
        StoreLocation.Parse(location), new StoreParts { Variable = name => name == "STORAGE_EMULATOR_HOST" ? emulator : null });
}
