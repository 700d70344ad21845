using Sisyphus.Engine.Containers;
using Sisyphus.Engine.Tasks;

using Xunit;

namespace Sisyphus.Tests.Integration.Containers;

public sealed class ImageTests(EngineFixture fixture) : ContainerTest(fixture), IAsyncLifetime
{
    private readonly PushedImages _images = new(fixture);
    private RegistryServer? _registry;

    [Fact]
    public async Task FindImageAsync_PresentAndAbsent_TellsIdAndArchitecture()
    {
        var found = await Engine.FindImageAsync(Fixture.ImageReference, Token);
        Assert.Equal(new(Fixture.ImageReference, Fixture.Image, null, "amd64"), found! with { Architecture = "amd64" });
        Assert.Contains(found.Architecture, new[] { "amd64", "arm64" });
        Assert.Equal(Fixture.Image, (await Engine.FindImageAsync(Fixture.Image, Token))!.Id);
        Assert.Null(await Engine.FindImageAsync("sisyphus-none:none", Token));
    }

    [Fact]
    public async Task EnsureImageAsync_Absent_IsPulledWithProgressAndDigest()
    {
        var reference = await PushAsync("team/tool:1.0");
        var progress = new RecordedProgress();
        var pulled = await Engine.EnsureImageAsync(reference, PullPolicy.IfNotPresent, progress, Token);
        Assert.Equal(_images.Id, pulled.Id);
        Assert.Matches("^" + System.Text.RegularExpressions.Regex.Escape(_registry!.Address) + "/team/tool@sha256:[0-9a-f]{64}$", pulled.Digest);
        Assert.Contains(progress.Seen, p => p.Bytes > 100_000);
        Assert.All(progress.Seen, p => Assert.InRange(p.Bytes, 0, Math.Max(p.TotalBytes, 0)));

        await _images.RemoveAsync(pulled.Id);
        Assert.Equal(_images.Id, (await Engine.EnsureImageAsync(pulled.Digest!, PullPolicy.IfNotPresent, null, Token)).Id);
    }

    [Fact]
    public async Task EnsureImageAsync_NoTag_PullsLatestOnly()
    {
        await PushAsync("many:1");
        var latest = await PushAsync("many:latest");
        await Engine.EnsureImageAsync(latest[..^":latest".Length], PullPolicy.Always, null, Token);
        Assert.NotNull(await Engine.FindImageAsync(latest, Token));
        Assert.Null(await Engine.FindImageAsync(latest[..^":latest".Length] + ":1", Token));
    }

    [Fact]
    public async Task EnsureImageAsync_Policies_AskTheRegistryOnlyWhenTheySay()
    {
        var reference = await PushAsync("policy:1");
        await FailAsync(reference, PullPolicy.Never, FailureReason.ImageNotFound);
        await Engine.EnsureImageAsync(reference, PullPolicy.IfNotPresent, null, Token);
        await _registry!.StopAsync();
        Assert.Equal(_images.Id, (await Engine.EnsureImageAsync(reference, PullPolicy.IfNotPresent, null, Token)).Id);
        Assert.Equal(_images.Id, (await Engine.EnsureImageAsync(reference, PullPolicy.Never, null, Token)).Id);
        await FailAsync(reference, PullPolicy.Always, FailureReason.ImagePullFailed);
    }

    [Theory]
    [InlineData("tool:none")]
    [InlineData("none:1")]
    public async Task EnsureImageAsync_RegistryDoesNotHaveIt_IsNotFound(string name)
    {
        var reference = await PushAsync("tool:1");
        await FailAsync(reference.Replace("tool:1", name, StringComparison.Ordinal), PullPolicy.IfNotPresent, FailureReason.ImageNotFound);
    }

    [Fact]
    public async Task EnsureImageAsync_RegistryWantsAPassword_IsDenied()
    {
        await using var closed = await RegistryServer.StartAsync(protect: true);
        await FailAsync(closed.Address + "/tool:1", PullPolicy.IfNotPresent, FailureReason.ImagePullDenied);
    }

    [Fact]
    public async Task EnsureImageAsync_NoRegistryThere_IsRetryable()
    {
        await using var server = await RegistryServer.StartAsync();
        await server.StopAsync();
        await FailAsync(server.Address + "/tool:1", PullPolicy.IfNotPresent, FailureReason.ImagePullFailed);
    }

    [Theory]
    [InlineData("Upper/Case")]
    [InlineData("a b")]
    [InlineData("a:b:c")]
    public async Task EnsureImageAsync_NotAReference_SaysSo(string reference) =>
        await FailAsync(reference, PullPolicy.IfNotPresent, FailureReason.InvalidDocument);

    [Fact]
    public async Task EnsureImageAsync_IdTheEngineHasNot_IsNotFound() =>
        await FailAsync("sha256:" + new string('1', 64), PullPolicy.IfNotPresent, FailureReason.ImageNotFound);

    [Fact]
    public async Task EnsureImageAsync_ManyAtATime_AllGetItAndACancelledOneHarmsNobody()
    {
        var reference = await PushAsync("shared:1");
        using var cancel = new CancellationTokenSource();
        var leaving = Engine.EnsureImageAsync(reference, PullPolicy.Always, null, cancel.Token);
        var staying = Enumerable.Range(0, 6).Select(_ => Engine.EnsureImageAsync(reference, PullPolicy.Always, new RecordedProgress(), Token)).ToArray();
        await cancel.CancelAsync();
        Assert.All(await Task.WhenAll(staying), image => Assert.Equal(_images.Id, image.Id));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => leaving);
    }

    public override async ValueTask DisposeAsync()
    {
        await _images.DisposeAsync();
        if (_registry is not null)
            await _registry.DisposeAsync();
        await base.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    private async Task<string> PushAsync(string name)
    {
        _registry ??= await RegistryServer.StartAsync();
        return await _images.PushAsync(_registry.Address, name);
    }

    private async Task FailAsync(string reference, PullPolicy policy, FailureReason reason)
    {
        var failure = await Assert.ThrowsAsync<TaskFailureException>(() => Engine.EnsureImageAsync(reference, policy, null, Token));
        Assert.True(reason == failure.Reason, $"{failure.Reason}: {failure.Message}");
        Assert.Contains(reference, failure.Message, StringComparison.Ordinal);
    }
}
