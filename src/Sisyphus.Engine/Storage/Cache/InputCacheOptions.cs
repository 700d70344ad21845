namespace Sisyphus.Engine.Storage.Cache;

/// <summary>Settings of the input cache.</summary>
public sealed class InputCacheOptions
{
    public const long DefaultMaxBytes = 20L * 1024 * 1024 * 1024;

    /// <summary>Absolute; made when it is missing. Several processes may share it.</summary>
    public string Folder { get; set; } = "";
    /// <summary>Bytes that files which no attempt uses may take, 0 to 2^60; at 0 nothing is kept.</summary>
    public long MaxBytes { get; set; } = DefaultMaxBytes;

    /// <exception cref="ArgumentException">Names the option, its value and the allowed range.</exception>
    public void Validate()
    {
        if (!Path.IsPathFullyQualified(Folder))
            throw new ArgumentException($"{nameof(Folder)} is '{Folder}'; allowed: an absolute path.", nameof(Folder));
        if (MaxBytes is < 0 or > 1L << 60)
            throw new ArgumentException($"{nameof(MaxBytes)} is {MaxBytes}; allowed: 0 to 2^60.", nameof(MaxBytes));
    }
}
