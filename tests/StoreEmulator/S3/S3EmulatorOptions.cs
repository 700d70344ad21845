namespace Sisyphus.Tests.StoreEmulator.S3;

/// <summary>What kind of server of S3 to play.</summary>
public sealed record S3EmulatorOptions
{
    public string AccessKey { get; init; } = "EMULATORACCESSKEY001";
    public string SecretKey { get; init; } = "emulator/secret+key";
    /// <summary>What requests have to be signed for.</summary>
    public string Region { get; init; } = "us-east-1";
    /// <summary>A session's token that every request has to have; null for none.</summary>
    public string? SessionToken { get; set; }
    /// <summary>Credentials that were handed out besides.</summary>
    public S3Sessions Sessions { get; } = new();
    /// <summary>Hosts <c>BUCKET.suffix</c> name buckets, too.</summary>
    public string HostSuffix { get; init; } = "s3.emulator.test";
    /// <summary>As servers that are older than conditional writes.</summary>
    public bool IgnoresConditions { get; init; }
    /// <summary>As servers that are older than checksums other than MD5: headers that nobody knows are ignored.</summary>
    public bool HasNoChecksums { get; init; }
    /// <summary>As servers whose uploads in parts have only checksums of checksums.</summary>
    public bool HasOnlyCompositeChecksums { get; init; }
    /// <summary>New buckets keep versions.</summary>
    public bool Versioning { get; init; }
    /// <summary>Of all parts but the last.</summary>
    public long SmallestPart { get; init; } = 5 * 1024 * 1024;
    /// <summary>The largest object that one request may copy.</summary>
    public long LargestCopy { get; init; } = 5L * 1024 * 1024 * 1024;
    /// <summary>Objects or parts in an answer, at most.</summary>
    public int PageSize { get; init; } = 1000;
    /// <summary>Buckets that nobody may use.</summary>
    public ISet<string> Denied { get; init; } = new HashSet<string>();
    /// <summary>Buckets that are in another region, and which.</summary>
    public IDictionary<string, string> Elsewhere { get; init; } = new Dictionary<string, string>();
    /// <summary>Lists as JavaScript sorts, by the units of UTF-16.</summary>
    public bool ListsInAnotherOrder { get; init; }
    public TimeProvider Time { get; init; } = TimeProvider.System;
}
