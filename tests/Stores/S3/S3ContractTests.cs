namespace Sisyphus.Tests.Stores.S3;

public sealed class S3ContractTests : S3EmulatorContract;
