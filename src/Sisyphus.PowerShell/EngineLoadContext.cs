using System.Reflection;
using System.Runtime.InteropServices;
using System.Runtime.Loader;

namespace Sisyphus.PowerShell;

/// <summary>Everything in <c>bin/lib</c> is ours; what is not there comes from the default context (the runtime's own assemblies).</summary>
internal sealed class EngineLoadContext(string folder) : AssemblyLoadContext("Sisyphus")
{
    protected override Assembly? Load(AssemblyName assemblyName)
    {
        var path = Path.Combine(folder, assemblyName.Name + ".dll");
        return File.Exists(path) ? LoadFromAssemblyPath(path) : null;
    }

    protected override nint LoadUnmanagedDll(string unmanagedDllName)
    {
        foreach (var path in NativeCandidates(unmanagedDllName))
            if (File.Exists(path))
                return LoadUnmanagedDllFromPath(path);
        return 0;
    }

    private IEnumerable<string> NativeCandidates(string name)
    {
        var (prefix, suffix) = OperatingSystem.IsWindows() ? ("", ".dll") : OperatingSystem.IsMacOS() ? ("lib", ".dylib") : ("lib", ".so");
        foreach (var rid in RuntimeIdentifiers())
        {
            var native = Path.Combine(folder, "runtimes", rid, "native");
            yield return Path.Combine(native, name);
            yield return Path.Combine(native, name + suffix);
            yield return Path.Combine(native, prefix + name + suffix);
        }
    }

    // The C library in the runtime's own identifier (linux-musl-x64) first, then the general one.
    private static IEnumerable<string> RuntimeIdentifiers()
    {
        yield return RuntimeInformation.RuntimeIdentifier;
        var architecture = RuntimeInformation.ProcessArchitecture.ToString().ToLowerInvariant();
        yield return (OperatingSystem.IsWindows() ? "win-" : OperatingSystem.IsMacOS() ? "osx-" : "linux-") + architecture;
    }
}
