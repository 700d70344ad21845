namespace Sisyphus.Tests.StoreEmulator.S3;

/// <summary>A request that came.</summary>
/// <param name="Operation">As AWS names it.</param>
/// <param name="RawPath">As it was sent.</param>
/// <param name="Content">Bytes of its content, as announced.</param>
public sealed record S3Seen(string Operation, string Bucket, string Key, string RawPath, long Content);
