using Sisyphus.Tests.StoreEmulator.S3;

namespace Sisyphus.Tests.Stores.S3;

/// <summary>As servers that know MD5 only.</summary>
public sealed class S3WithoutChecksumsContractTests : S3EmulatorContract
{
    private protected override S3EmulatorOptions Options => new() { HasNoChecksums = true };
}
