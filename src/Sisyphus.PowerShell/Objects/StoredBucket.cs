namespace Sisyphus.PowerShell.Objects;

/// <summary>A bucket as <c>Get-SisyphusObject</c> shows it.</summary>
/// <param name="RemotePath">The prefix that names everything in it.</param>
/// <param name="Location">The store that it is in.</param>
public sealed record StoredBucket(string Name, string RemotePath, string Location)
{
    public override string ToString() => RemotePath;
}
