using Azure;
using Azure.Identity;
using Microsoft.Identity.Client;
using Sisyphus.Engine.Storage;
using Sisyphus.Engine.Storage.Azure;
using Sisyphus.Engine.Tasks;
using Xunit;
using static Sisyphus.Tests.Unit.Storage.StoreAssertions;

namespace Sisyphus.Tests.Stores.Azure;

public sealed class AzureSettingsTests
{
    [Theory]
    [InlineData("az:lab1", null, "lab1", "https://lab1.blob.core.windows.net/")]
    [InlineData("az:", "lab2", "lab2", "https://lab2.blob.core.windows.net/")]
    [InlineData("az:lab1", "lab2", "lab1", "https://lab1.blob.core.windows.net/")]
    [InlineData("az:?endpoint=http://127.0.0.1:10000/devstoreaccount1", null, "devstoreaccount1", "http://127.0.0.1:10000/devstoreaccount1")]
    [InlineData("az:?endpoint=https://lab3.blob.core.chinacloudapi.cn", "lab2", "lab3", "https://lab3.blob.core.chinacloudapi.cn/")]
    public void Find_Location_IsThatAccount(string location, string? environment, string name, string address)
    {
        var account = AzureAccount.Find(StoreLocation.Parse(location), variable => variable == AzureAccount.Variable ? environment : null);
        Assert.Equal((name, new Uri(address)), (account.Name, account.Address));
    }

    [Theory]
    [InlineData("az:Lab", "3 to 24")]
    [InlineData("az:ab", "3 to 24")]
    [InlineData("az:lab-1", "3 to 24")]
    [InlineData("az:lab?endpoint=http://lab.example.org", "https")]
    [InlineData("az:lab?key=secret", "no option 'key'")]
    public void Open_LocationThatCannotBe_SaysWhy(string location, string expected)
    {
        var error = Assert.Throws<FormatException>(() => AzureObjectStore.Open(StoreLocation.Parse(location), Azurite.Parts(key: null)));
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Open_Signature_IsNotShown() =>
        Assert.Equal("az://lab", AzureObjectStore.Open(StoreLocation.Parse("az:lab?sas=sig%3Dsecret"), Azurite.Parts(key: null)).Name);

    [Fact]
    public async Task Any_NoAccount_SaysWhatToSet()
    {
        var store = AzureObjectStore.Open(StoreLocation.Parse("az:"), new StoreParts { Variable = _ => null });
        var failure = await FailsAsync(FailureReason.InputDenied, () => store.StatAsync("data", "k", TestContext.Current.CancellationToken));
        Assert.Contains(AzureAccount.Variable, failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Any_ConnectionStringInTheClear_IsRefused()
    {
        var store = AzureObjectStore.Open(StoreLocation.Parse("az:"), new StoreParts { Variable = name => name == AzureLogin.ConnectionVariable ? $"BlobEndpoint=http://lab.example.org/;AccountName=lab;AccountKey={Azurite.Key}" : null });
        var failure = await FailsAsync(FailureReason.InputDenied, () => store.StatAsync("data", "k", TestContext.Current.CancellationToken));
        Assert.Contains($"{AzureLogin.ConnectionVariable} names an address of http", failure.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(Azurite.Key, failure.ToString(), StringComparison.Ordinal);
    }

    public static TheoryData<Exception, FailureReason> Logins => new()
    {
        { new AuthenticationFailedException("failed", new RequestFailedException(0, "reset")), FailureReason.TransferFailed },
        { new AuthenticationFailedException("failed", new RequestFailedException(429, "busy")), FailureReason.TransferFailed },
        { new AuthenticationFailedException("failed", new AggregateException(new HttpRequestException("refused"))), FailureReason.TransferFailed },
        { new AuthenticationFailedException("failed", new MsalServiceException("temporarily_unavailable", "down", 503)), FailureReason.TransferFailed },
        { new AuthenticationFailedException("failed", new TaskCanceledException("took too long")), FailureReason.TransferFailed },
        { new AuthenticationFailedException("failed", new RequestFailedException(401, "no")), FailureReason.InputDenied },
        { new AuthenticationFailedException("failed"), FailureReason.InputDenied },
        // A machine without an identity.
        { new CredentialUnavailableException("none", new AggregateException(new TaskCanceledException("nobody answers"))), FailureReason.InputDenied },
    };

    [Theory, MemberData(nameof(Logins))]
    public void ToFailure_LoginThatCannotBeHad_MayPassOrNot(Exception error, FailureReason reason)
    {
        var failure = AzureErrors.ToFailure(error, "read data:k", TimeProvider.System);
        Assert.Equal((reason, reason == FailureReason.TransferFailed), (failure.Reason, failure.IsRetryable));
    }

    [Theory, InlineData(409, FailureReason.TransferFailed), InlineData(429, FailureReason.TransferFailed), InlineData(500, FailureReason.TransferFailed), InlineData(403, FailureReason.InputDenied)]
    public void ToFailure_SourceOfACopyNotVerified_IsByItsStatus(int status, FailureReason reason)
    {
        var failure = AzureErrors.ToFailure(new RequestFailedException(status, "Could not verify the copy source.", "CannotVerifyCopySource", null), "copy data:k", TimeProvider.System);
        Assert.Equal((reason, reason == FailureReason.TransferFailed), (failure.Reason, failure.IsRetryable));
    }

    [Fact]
    public void Options_Logins_AskNobody()
    {
        var options = AzureLogin.Options();
        Assert.True(options.ExcludeInteractiveBrowserCredential && options.ExcludeBrokerCredential && options.ExcludeVisualStudioCredential && options.ExcludeVisualStudioCodeCredential && options.ExcludeAzurePowerShellCredential && options.ExcludeAzureDeveloperCliCredential);
        Assert.False(options.ExcludeEnvironmentCredential || options.ExcludeWorkloadIdentityCredential || options.ExcludeManagedIdentityCredential || options.ExcludeAzureCliCredential);
    }

    [Theory]
    [InlineData("abc", true)]
    [InlineData("a-b-c", true)]
    [InlineData("$root", true)]
    [InlineData("ab", false)]
    [InlineData("a--b", false)]
    [InlineData("-abc", false)]
    [InlineData("abc-", false)]
    [InlineData("Abc", false)]
    [InlineData("a.b", false)]
    [InlineData("abc\n", false)]
    public void IsContainer_Name_FollowsTheServicesRules(string name, bool expected) => Assert.Equal(expected, AzureNames.IsContainer(name));

    [Theory]
    [InlineData("a/./b")]
    [InlineData("a/../b")]
    [InlineData("a.")]
    [InlineData("a./b")]
    [InlineData("a\\b")]
    [InlineData("a\u0001")]
    [InlineData("a\uFFFF")]
    public void RequireKey_WhatTheServiceWouldChange_IsRefused(string key)
    {
        var failure = Assert.Throws<TaskFailureException>(() => AzureNames.RequireKey("data", key));
        Assert.Equal(FailureReason.InvalidDocument, failure.Reason);
        Assert.Contains("data:", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Blocks_OfALargeBlob_AreEnough()
    {
        var bytes = Enumerable.Range(0, AzureBlocks.MaxCount).Sum(index => (long)AzureBlocks.Standard.SizeOf(index));
        Assert.True(bytes > 19L << 40, $"{bytes}");
        Assert.Equal(8 << 20, AzureBlocks.Standard.SizeOf(4999));
        Assert.Equal(16 << 20, AzureBlocks.Standard.SizeOf(5000));
        Assert.Single(Enumerable.Range(0, AzureBlocks.MaxCount).Select(index => AzureBlocks.Id("0123456789abcdef", index, (uint)index).Length).Distinct());
    }

    [Fact]
    public async Task InOrder_ListInTheOrderOfUtf16_IsInThatOfUtf8()
    {
        string[] keys = ["a", "b", "b/\uE000", "b/😀", "b/😀/x", "b/\uFFFD", "b\uFFFD", "c", "ä", "日", "😀", "\uE000"];
        var utf16 = keys.Order(StringComparer.Ordinal).Select(key => new ObjectInfo("x", key, 0, "", null, default));
        var ordered = await Utf8Runs.InOrderAsync(utf16.ToAsyncEnumerable(), TestContext.Current.CancellationToken).Select(info => info.Key).ToListAsync(TestContext.Current.CancellationToken);
        Assert.Equal(keys.Order(Utf8Order.Instance), ordered);
        Assert.NotEqual(keys.Order(StringComparer.Ordinal), ordered);
    }
}
