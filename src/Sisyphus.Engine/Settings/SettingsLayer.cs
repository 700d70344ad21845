namespace Sisyphus.Engine.Settings;

/// <summary>The settings that one source gives; null where it gives none. Also the form of the settings file.</summary>
public sealed record SettingsLayer
{
    public static readonly SettingsLayer Empty = new();

    /// <summary>Address of the queue: <c>sqlite:PATH</c>, or <c>amqp://[user[:password]@]host[:port][,host2…][/vhost][?key=value&amp;…]</c> and <c>amqps://</c> with TLS. A password is better given as a credential, which no layer holds.</summary>
    public string? Broker { get; init; }
    /// <summary>Location of the store for every bucket that <see cref="StoreMapping"/> does not name.</summary>
    public string? Store { get; init; }
    /// <summary>Bucket → location of exactly that bucket.</summary>
    public IReadOnlyDictionary<string, string>? StoreMapping { get; init; }
    /// <summary>Address of the container engine, as in <c>DOCKER_HOST</c>.</summary>
    public string? Engine { get; init; }
    /// <summary>Absolute folder for workspaces and the input cache.</summary>
    public string? WorkDirectory { get; init; }
    public string? Node { get; init; }
    /// <summary>Bytes of objects on their way that may be in memory at a time, as a document writes a size.</summary>
    public string? TransferMemory { get; init; }
    /// <summary>Connections that move data at a time.</summary>
    public int? TransferConcurrency { get; init; }

    /// <summary>Without values, which may be secret, as records are printed by accident.</summary>
    public override string ToString() => nameof(SettingsLayer);
}
