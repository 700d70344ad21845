using System.IO.Enumeration;

namespace Sisyphus.PowerShell.Objects;

/// <summary>The files of a folder and of the folders in it. Links to folders are not followed: they may lead in circles or out of the tree.</summary>
internal static class LocalFiles
{
    public static IEnumerable<FileSource> Below(string folder) =>
        new FileSystemEnumerable<FileSource>(
            folder,
            (ref FileSystemEntry entry) => Source(folder, entry.ToFullPath()),
            new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = 0, IgnoreInaccessible = false })
        {
            ShouldIncludePredicate = (ref FileSystemEntry entry) => !entry.IsDirectory,
            ShouldRecursePredicate = (ref FileSystemEntry entry) => !entry.Attributes.HasFlag(FileAttributes.ReparsePoint),
        };

    private static FileSource Source(string folder, string file) =>
        new(file, Path.GetRelativePath(folder, file).Replace(Path.DirectorySeparatorChar, '/'));
}
