namespace Sisyphus.Tests.StoreEmulator.Google;

/// <summary>How the service behaves.</summary>
public sealed class GoogleEmulatorOptions
{
    /// <summary>Bytes that one rewrite copies; a larger object takes several calls.</summary>
    public long RewriteStep { get; set; } = long.MaxValue;
    /// <summary>Bytes of each chunk of a resumable upload that are kept, a multiple of 256 KiB; the client has to send the rest again.</summary>
    public long KeptOfChunk { get; set; } = long.MaxValue;
    /// <summary>Tokens that are accepted; null: nobody is asked for one.</summary>
    public ISet<string>? Tokens { get; set; }
    /// <summary>False: checksums that clients send are not looked at.</summary>
    public bool ChecksSums { get; set; } = true;
    /// <summary>False: objects have no MD5, as composed ones have none. It is what takes longest of an object of gigabytes.</summary>
    public bool KeepsMd5 { get; set; } = true;
    /// <summary>Contents are packed on their way to whoever takes that, as some servers in between do.</summary>
    public bool Packs { get; set; }
    /// <summary>Entries of a page, at most 1,000.</summary>
    public int PageSize { get; set; } = 1000;
}
