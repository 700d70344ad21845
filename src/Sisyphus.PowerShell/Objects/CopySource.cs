namespace Sisyphus.PowerShell.Objects;

/// <summary>A file or an object to copy.</summary>
/// <param name="Name">As a user writes it.</param>
/// <param name="RelativeName">What it is called below a prefix or folder that it is copied to; parts separated by <c>/</c>.</param>
internal abstract record CopySource(string Name, string RelativeName)
{
    /// <summary><c>a/b/</c> of no bytes: it says that there is a directory, which some tools need to be told.</summary>
    public virtual bool IsMarker => false;
}

internal sealed record FileSource(string File, string RelativeName) : CopySource(File, RelativeName);

internal sealed record ObjectSource(FoundObject Found) : CopySource(Found.RemotePath, Found.RelativeName)
{
    public override bool IsMarker => Found.Info is { Size: 0, Key: [.., '/'] };
}
