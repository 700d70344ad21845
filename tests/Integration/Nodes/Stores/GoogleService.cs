using Sisyphus.Tests.StoreEmulator.Faults;
using Sisyphus.Tests.StoreEmulator.Google;

namespace Sisyphus.Tests.Integration.Nodes.Stores;

internal sealed class GoogleService(GoogleEmulator emulator) : ServiceStore
{
    public override string Location => $"gs:?endpoint={emulator.Address}";

    public static async Task<ServiceStore> StartAsync()
    {
        var emulator = await GoogleEmulator.StartAsync();
        emulator.CreateBucket(In);
        emulator.CreateBucket(Out);
        return new GoogleService(emulator);
    }

    public override void Put(string bucket, string key, ReadOnlySpan<byte> content) => emulator.Put(bucket, key, content);

    public override IReadOnlyDictionary<string, byte[]> Contents(string bucket) => emulator.Contents(bucket);

    public override int Count(StoreStep step) => emulator.Requests.Count(seen => seen.Operation == Operation(step)
        && (step != StoreStep.Send || !seen.RawTarget.Contains("ifGenerationMatch", StringComparison.Ordinal)));

    public override Fault Inject(StoreStep step, FaultKind kind, int times, int skip, TimeSpan? lasts, int? retryAfter)
    {
        // The names of small objects are in the requests' content; which they are follows from their number.
        var fault = new Fault(Operation(step), kind, times, skip + (step == StoreStep.MarkDone ? SmallOutputs : 0)) { Lasts = lasts, RetryAfterSeconds = retryAfter };
        emulator.Inject(fault);
        return fault;
    }

    public override ValueTask DisposeAsync() => emulator.DisposeAsync();

    private static string Operation(StoreStep step) => step switch
    {
        StoreStep.Fetch => "get",
        StoreStep.StageChunk => "upload.chunk",
        StoreStep.Decide => "create",
        StoreStep.Promote => "copy",
        StoreStep.Any => Fault.Any,
        _ => "put",
    };
}
