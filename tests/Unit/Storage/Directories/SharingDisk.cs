using System.Diagnostics;

namespace Sisyphus.Tests.Unit.Storage.Directories;

/// <summary>A file system whose files can share blocks.</summary>
internal sealed class SharingDisk : IDisposable
{
    private const long Size = 320L * 1024 * 1024;
    private readonly string _folder;

    private SharingDisk(string folder) => _folder = folder;

    /// <returns>Null without the right to mount, or without <c>mkfs.xfs</c> of the package xfsprogs.</returns>
    public static SharingDisk? TryMount(TemporaryFolder folder, string name)
    {
        if (!OperatingSystem.IsLinux() || !Environment.IsPrivilegedProcess)
            return null;
        using (var image = File.Create(folder[$"{name}.image"]))
            image.SetLength(Size);
        Directory.CreateDirectory(folder[name]);
        return Run("mkfs.xfs", "-q", "-m", "reflink=1", folder[$"{name}.image"]) && Run("mount", "-o", "loop", folder[$"{name}.image"], folder[name]) ? new SharingDisk(folder[name]) : null;
    }

    public void Dispose() => Run("umount", "-l", _folder);

    private static bool Run(string program, params string[] arguments)
    {
        try
        {
            using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true, RedirectStandardOutput = true });
            process!.WaitForExit();
            return process.ExitCode == 0;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return false;
        }
    }
}
