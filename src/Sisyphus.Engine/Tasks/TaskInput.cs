namespace Sisyphus.Engine.Tasks;

/// <summary>An object, or with <see cref="IsDirectory"/> every object under a prefix, staged to an internal path before the commands run.</summary>
/// <param name="Remote">Where it comes from; a prefix (trailing <c>/</c>) exactly when <paramref name="IsDirectory"/>.</param>
/// <param name="Path">Absolute path in the container, normalised, without a trailing <c>/</c>.</param>
/// <param name="IsDirectory">The document had a trailing <c>/</c> on either side.</param>
/// <param name="Writable">The container gets a private copy that it may change; otherwise the mount is read-only.</param>
/// <param name="Sha256">What the content of the object has to be: 64 lower-case hexadecimal digits. Null where the document does not say, and for a directory.</param>
public sealed record TaskInput(RemotePath Remote, string Path, bool IsDirectory = false, bool Writable = false, string? Sha256 = null) : TaskPart
{
    public override string ToString() => $"{Remote} -> {Path}";
}
