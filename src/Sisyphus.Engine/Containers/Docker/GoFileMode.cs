namespace Sisyphus.Engine.Containers.Docker;

/// <summary>The engine tells a file's kind and permissions as Go's <c>fs.FileMode</c> (https://pkg.go.dev/io/fs#FileMode).</summary>
internal static class GoFileMode
{
    private const uint Directory = 1u << 31;
    private const uint SymbolicLink = 1u << 27;
    private const uint Others = (1u << 26) | (1u << 25) | (1u << 24) | (1u << 21) | (1u << 19);
    private const uint SetUser = 1u << 23;
    private const uint SetGroup = 1u << 22;
    private const uint Sticky = 1u << 20;

    public static ContainerPathInfo Describe(uint mode, long size)
    {
        var kind = (mode & Directory) != 0 ? ContainerPathKind.Directory
            : (mode & SymbolicLink) != 0 ? ContainerPathKind.SymbolicLink
            : (mode & Others) != 0 ? ContainerPathKind.Other
            : ContainerPathKind.File;
        var permissions = (UnixFileMode)(mode & 0x1FF);
        if ((mode & SetUser) != 0)
            permissions |= UnixFileMode.SetUser;
        if ((mode & SetGroup) != 0)
            permissions |= UnixFileMode.SetGroup;
        if ((mode & Sticky) != 0)
            permissions |= UnixFileMode.StickyBit;
        return new(kind, size, permissions);
    }
}
