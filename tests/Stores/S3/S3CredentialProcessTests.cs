using System.Text.Json;
using Sisyphus.Engine.Tasks;
using Sisyphus.Tests.Unit.Storage;
using Xunit;
using static Sisyphus.Tests.Unit.Storage.StoreAssertions;

namespace Sisyphus.Tests.Stores.S3;

/// <summary>Profiles whose credentials a program makes.</summary>
public sealed class S3CredentialProcessTests : S3CredentialsTests
{
    [Fact]
    public async Task Process_OfAProfile_GivesCredentialsAndNewOnesWhenTheyEnd()
    {
        var program = Program($"""
            echo asked >> {Folder["asked"]}
            cat {Folder["answer"]}
            """);
        Answer();
        Config($"[profile made]\ncredential_process = {program}\n");
        var store = Open("made");
        await store.PutAsync("bucket", "k", "x");
        await store.PutAsync("bucket", "k", "x");
        Assert.Single(await File.ReadAllLinesAsync(Folder["asked"], Token));

        S3.Options.Sessions.End();
        Answer();
        await store.PutAsync("bucket", "k", "x");

        void Answer()
        {
            var given = S3.Options.Sessions.Issue();
            File.WriteAllText(Folder["answer"], JsonSerializer.Serialize(new { Version = 1, AccessKeyId = given.AccessKey, SecretAccessKey = given.Secret, SessionToken = given.Token, Expiration = DateTimeOffset.UtcNow.AddHours(1) }));
        }
    }

    [Theory]
    [InlineData("echo secret-of-the-program; echo secret-of-the-program >&2; exit 3")]
    [InlineData("echo '{\"Version\": 1, \"SecretAccessKey\": \"secret-of-the-program'")]
    public async Task Process_Failed_IsSaidWithoutWhatItPrinted(string script)
    {
        Config($"[profile made]\ncredential_process = {Program(script)}\n");
        await IsRefusedAsync(Open("made"), "'made'", "credential_process");
    }

    [Fact]
    public async Task Process_Silent_IsGivenUpInTime()
    {
        Config($"[profile made]\ncredential_process = {Program("exec sleep 30")}\n");
        var failure = await FailsAsync(FailureReason.TransferFailed, () => Open("made", TimeSpan.FromSeconds(1)).PutAsync("bucket", "k", "x")).WaitAsync(TimeSpan.FromSeconds(20), Token);
        Assert.Contains("'made'", failure.Message, StringComparison.Ordinal);
    }

    private string Program(string script)
    {
        File.WriteAllText(Folder["program"], $"#!/bin/sh\n{script}\n");
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(Folder["program"], UnixFileMode.UserRead | UnixFileMode.UserExecute);
        return Folder["program"];
    }
}
