using Sisyphus.Engine.Storage;
using Sisyphus.Engine.Storage.S3;
using Sisyphus.Engine.Storage.Transfers;
using Sisyphus.Tests.StoreEmulator.S3;

namespace Sisyphus.Tests.Stores.S3;

/// <summary>Stores on servers of the tests.</summary>
internal static class S3Stores
{
    public const int Chunk = 64 * 1024;

    /// <summary>Everything that is large on AWS begins here with two chunks.</summary>
    public static readonly S3Limits Small = new(Chunk, SingleCopy: 2 * Chunk, CopyPart: Chunk);

    /// <summary>As <see cref="Small"/> at the other end.</summary>
    public static S3EmulatorOptions SmallServer => new() { SmallestPart = Chunk, LargestCopy = 2 * Chunk };

    public static TransferOptions Quick => new() { BaseDelay = TimeSpan.FromMilliseconds(1), StallTimeout = TimeSpan.FromSeconds(20) };

    /// <summary>An emulator of which nothing is known, also where another one had its port before.</summary>
    public static async Task<S3Emulator> StartAsync(S3EmulatorOptions? options = null, params string[] buckets)
    {
        var emulator = await S3Emulator.StartAsync(options);
        S3Abilities.Forget(emulator.Address);
        foreach (var bucket in buckets)
            emulator.CreateBucket(bucket);
        return emulator;
    }

    public static StoreParts Parts(string accessKey, string secretKey, TransferOptions? transfers = null) => new()
    {
        Transfers = transfers ?? Quick,
        Variable = name => name switch { "AWS_ACCESS_KEY_ID" => accessKey, "AWS_SECRET_ACCESS_KEY" => secretKey, _ => null },
    };

    public static StoreParts Parts(S3Emulator emulator, TransferOptions? transfers = null) => Parts(emulator.Options.AccessKey, emulator.Options.SecretKey, transfers);

    public static S3ObjectStore Open(S3Emulator emulator, StoreParts? parts = null, S3Limits? limits = null) =>
        new(new S3Settings(emulator.Address, null, PathStyle: true, null), parts ?? Parts(emulator), limits);

    public static S3ObjectStore Open(Uri endpoint, string accessKey, string secretKey) =>
        new(new S3Settings(endpoint, null, PathStyle: true, null), Parts(accessKey, secretKey));
}
