using System.Collections.Concurrent;

namespace Sisyphus.Engine.Storage.S3;

/// <summary>What the server at an endpoint can do. Asked by using it, and remembered for as long as the process lives.</summary>
internal sealed class S3Abilities
{
    private static readonly ConcurrentDictionary<Uri, S3Abilities> Known = new();
    private static readonly S3Abilities Aws = new() { Checksums = true, FullObjectChecksums = true, Conditions = true };

    private int _checksums;
    private int _fullObjectChecksums;
    private int _conditions;

    /// <summary>CRC-32C of an object that is sent in one request is verified, kept and told.</summary>
    public bool? Checksums { get => Get(ref _checksums); set => Set(ref _checksums, value); }

    /// <summary>The same for what is sent in parts, over the whole of it (https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity-upload.html).</summary>
    public bool? FullObjectChecksums { get => Get(ref _fullObjectChecksums); set => Set(ref _fullObjectChecksums, value); }

    /// <summary><c>If-None-Match: *</c> of a write is obeyed.</summary>
    public bool? Conditions { get => Get(ref _conditions); set => Set(ref _conditions, value); }

    /// <summary>One asks, the others wait for what he learns.</summary>
    public SemaphoreSlim Asking { get; } = new(1, 1);

    public static S3Abilities Of(Uri? endpoint) => endpoint is null ? Aws : Known.GetOrAdd(endpoint, _ => new S3Abilities());

    /// <summary>There may be another server at the endpoint now.</summary>
    public static void Forget(Uri endpoint) => Known.TryRemove(endpoint, out _);

    // 0 is unknown: a bool? is not read and written in one piece.
    private static bool? Get(ref int field) => Volatile.Read(ref field) switch { 0 => null, var value => value > 0 };

    private static void Set(ref int field, bool? value) => Volatile.Write(ref field, value switch { null => 0, true => 1, false => -1 });
}
