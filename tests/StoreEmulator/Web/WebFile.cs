namespace Sisyphus.Tests.StoreEmulator.Web;

/// <summary>A file of a web server, with the ways in which servers differ.</summary>
public sealed record WebFile(byte[] Content)
{
    /// <summary>With its quotes; null for none.</summary>
    public string? ETag { get; init; }
    public DateTimeOffset? Modified { get; init; }
    /// <summary>Parts are sent where they are asked for.</summary>
    public bool Ranges { get; init; } = true;
    /// <summary>Said in answers to HEAD, too; false: the content comes in pieces until it ends.</summary>
    public bool SaysLength { get; init; } = true;
    /// <summary>Status for HEAD.</summary>
    public int? HeadStatus { get; init; }
    /// <summary>What answers to HEAD say of the length, whatever it is.</summary>
    public long? HeadLength { get; init; }
    /// <summary>Claimed, whatever the content is.</summary>
    public string? ContentEncoding { get; init; }
    /// <summary>Where to go instead, and with which status.</summary>
    public string? Location { get; init; }
    public int RedirectStatus { get; init; } = 302;
    /// <summary>Status for everything.</summary>
    public int? Status { get; init; }
}
