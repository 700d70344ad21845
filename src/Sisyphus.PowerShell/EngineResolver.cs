using System.Reflection;
using System.Runtime.Loader;

namespace Sisyphus.PowerShell;

/// <summary>Loads the engine and its dependencies into a private context, so that other modules' copies of the same assemblies in the session neither break it nor are broken by it.</summary>
/// <remarks>Called by the module's loader script. Subscribed once per process and never unsubscribed: types of the engine outlive a removed module.</remarks>
public static class EngineResolver
{
    private const string EngineName = "Sisyphus.Engine";
    private static readonly Lazy<EngineLoadContext> Context = new(() => new EngineLoadContext(
        Path.Combine(Path.GetDirectoryName(typeof(EngineResolver).Assembly.Location)!, "lib")));
    private static int _installed;

    public static void Install()
    {
        if (Interlocked.Exchange(ref _installed, 1) == 0)
            AssemblyLoadContext.Default.Resolving += Resolve;
    }

    private static Assembly? Resolve(AssemblyLoadContext context, AssemblyName name) =>
        name.Name == EngineName ? Context.Value.LoadFromAssemblyName(name) : null;
}
