using System.Collections.ObjectModel;
using System.Management.Automation;

using DriveNotFoundException = System.Management.Automation.DriveNotFoundException;

namespace Sisyphus.PowerShell.Commands;

/// <summary>Local paths as the session sees them: its location, drives and wildcards, never the process's directory.</summary>
internal static class SessionPaths
{
    public const string FileSystem = "FileSystem";

    /// <summary>The existing files and folders that a parameter names; whatever can't be resolved is a non-terminating error.</summary>
    public static IEnumerable<string> ResolveExisting(this PSCmdlet cmdlet, IEnumerable<string> paths, bool literal)
    {
        foreach (var path in paths)
        {
            foreach (var resolved in literal ? Literal(cmdlet, path) : Expand(cmdlet, path))
            {
                if (Path.Exists(resolved))
                    yield return resolved;
                else
                    cmdlet.WriteError(ErrorRecords.FileNotFound(path));
            }
        }
    }

    /// <summary>The file system path that a parameter names, existing or not; null (and a non-terminating error) when it is none.</summary>
    public static string? ResolveNew(this PSCmdlet cmdlet, string path)
    {
        try
        {
            var resolved = cmdlet.SessionState.Path.GetUnresolvedProviderPathFromPSPath(path, out var provider, out _);
            if (provider.Name == FileSystem)
                return resolved;
            cmdlet.WriteError(ErrorRecords.NotAFileSystemPath(path, provider.Name));
        }
        catch (Exception e) when (e is DriveNotFoundException or ProviderNotFoundException or PSArgumentException)
        {
            cmdlet.WriteError(ErrorRecords.FileNotFound(path));
        }
        return null;
    }

    /// <summary>The session has a file system drive of that name.</summary>
    public static bool HasDrive(this PSCmdlet cmdlet, string name) =>
        cmdlet.SessionState.Drive.GetAllForProvider(FileSystem).Any(drive => drive.Name.Equals(name, StringComparison.OrdinalIgnoreCase));

    /// <summary>The text is <c>bucket:key</c> or a URL. A path that begins like one, and the session's file system drives, are local.</summary>
    public static bool IsRemote(this PSCmdlet cmdlet, string path)
    {
        var colon = path.IndexOf(':', StringComparison.Ordinal);
        return colon > 0
            && path[0] is not ('.' or '/' or '\\' or '~')
            && !path.AsSpan(0, colon).ContainsAny('/', '\\')
            && !cmdlet.HasDrive(path[..colon])
            && !IsProviderPath(path, colon);
    }

    // FileSystem::/tmp and Microsoft.PowerShell.Core\FileSystem::/tmp, as in the PSPath of files.
    private static bool IsProviderPath(string path, int colon) => path.AsSpan(colon).StartsWith("::");

    private static Collection<string> Literal(PSCmdlet cmdlet, string path) => cmdlet.ResolveNew(path) is { } resolved ? [resolved] : [];

    private static Collection<string> Expand(PSCmdlet cmdlet, string path)
    {
        try
        {
            var resolved = cmdlet.SessionState.Path.GetResolvedProviderPathFromPSPath(path, out var provider);
            if (provider.Name == FileSystem)
                return resolved;
            cmdlet.WriteError(ErrorRecords.NotAFileSystemPath(path, provider.Name));
        }
        catch (Exception e) when (e is ItemNotFoundException or DriveNotFoundException or ProviderNotFoundException or PSArgumentException)
        {
            cmdlet.WriteError(ErrorRecords.FileNotFound(path));
        }
        return [];
    }
}
