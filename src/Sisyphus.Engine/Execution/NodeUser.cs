using System.Globalization;
using System.Runtime.InteropServices;

namespace Sisyphus.Engine.Execution;

/// <summary>The numeric user that runs this process.</summary>
internal static partial class NodeUser
{
    /// <summary><c>uid:gid</c>, or null on Windows, where the engine's virtual machine maps owners itself.</summary>
    public static string? Current { get; } = OperatingSystem.IsWindows()
        ? null
        : string.Create(CultureInfo.InvariantCulture, $"{GetEffectiveUser()}:{GetEffectiveGroup()}");

    [LibraryImport("libc", EntryPoint = "geteuid")]
    private static partial uint GetEffectiveUser();

    [LibraryImport("libc", EntryPoint = "getegid")]
    private static partial uint GetEffectiveGroup();
}
