using Sisyphus.Tests.StoreEmulator.Faults;
using Sisyphus.Tests.StoreEmulator.S3;

namespace Sisyphus.Tests.Integration.Nodes.Stores;

internal sealed class S3Service(S3Emulator emulator) : ServiceStore
{
    public override string Location => $"s3:?endpoint={emulator.Address}";

    public override IReadOnlyDictionary<string, string> Environment => new Dictionary<string, string>
    {
        ["AWS_ACCESS_KEY_ID"] = emulator.Options.AccessKey,
        ["AWS_SECRET_ACCESS_KEY"] = emulator.Options.SecretKey,
    };

    public static async Task<ServiceStore> StartAsync(bool ignoresConditions = false)
    {
        var emulator = await S3Emulator.StartAsync(new S3EmulatorOptions { IgnoresConditions = ignoresConditions });
        emulator.CreateBucket(In);
        emulator.CreateBucket(Out);
        return new S3Service(emulator);
    }

    public override void Put(string bucket, string key, ReadOnlySpan<byte> content) => emulator.Put(bucket, key, content);

    public override IReadOnlyDictionary<string, byte[]> Contents(string bucket) => emulator.Contents(bucket);

    public override int Count(StoreStep step) => emulator.Requests.Count(seen => seen.Operation == Operation(step) && seen.RawPath.Contains(About(step), StringComparison.Ordinal));

    public override Fault Inject(StoreStep step, FaultKind kind, int times, int skip, TimeSpan? lasts, int? retryAfter)
    {
        var fault = FaultOf(step, Operation(step), kind, times, skip, lasts, retryAfter);
        emulator.Inject(fault);
        return fault;
    }

    public override ValueTask DisposeAsync() => emulator.DisposeAsync();

    private static string Operation(StoreStep step) => step switch
    {
        StoreStep.Fetch => "GetObject",
        StoreStep.StageChunk => "UploadPart",
        StoreStep.Promote => "CopyObject",
        StoreStep.Any => Fault.Any,
        _ => "PutObject",
    };
}
