using System.Text.Json;
using Sisyphus.Engine.Execution.Publishing;
using Sisyphus.Engine.Storage;
using Sisyphus.Engine.Storage.Transfers;
using Sisyphus.Engine.Tasks;
using Sisyphus.Tests.StoreEmulator.Faults;
using Sisyphus.Tests.StoreEmulator.Google;
using Xunit;
using static Sisyphus.Tests.Unit.Storage.StoreAssertions;

namespace Sisyphus.Tests.Stores.Google;

/// <summary>What a store promises of its streams, where it matters most.</summary>
public sealed class GoogleDecisionTests : IAsyncLifetime
{
    private GoogleEmulator _emulator = null!;
    private ObjectLocation _home = null!;
    private DecisionStore _decisions = null!;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _emulator = await GoogleEmulator.StartAsync();
        _emulator.CreateBucket("bucket");
        var parts = GoogleStores.Parts(_emulator);
        _home = new ObjectLocation(GoogleStores.Open(_emulator, parts: parts), "bucket", "out");
        _decisions = new DecisionStore(new Retry(parts.Transfers, parts.Time));
        await _decisions.CreateAsync(_home, new Decision { Version = 1, Task = "t", Attempt = "a", Outputs = [], Record = JsonSerializer.SerializeToElement(new { }) }, Token);
    }

    public ValueTask DisposeAsync() => _emulator.DisposeAsync();

    public static TheoryData<FaultKind> Kinds => [FaultKind.Truncated, FaultKind.ResetInAnswer, FaultKind.Silent];

    [Theory, MemberData(nameof(Kinds))]
    public async Task Find_ContentCutOrSilentOnce_IsReadAgain(FaultKind kind)
    {
        _emulator.Inject(new Fault("get", kind) { About = "published.json" });
        Assert.Equal("a", (await _decisions.FindAsync(_home, "t", Token))?.Decision.Attempt);
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task Find_ContentCutOrSilentAlways_IsNoDecisionThatCannotBeUnderstood(FaultKind kind)
    {
        _emulator.Inject(new Fault("get", kind, int.MaxValue) { About = "published.json" });
        Assert.True((await FailsAsync(FailureReason.TransferFailed, () => _decisions.FindAsync(_home, "t", Token))).IsRetryable);
    }
}
