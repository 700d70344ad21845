using System.Management.Automation;
using System.Management.Automation.Runspaces;
using System.Reflection;

namespace Sisyphus.Tests.ModuleLoading;

/// <summary>A runspace of its own, and the built module to import into it.</summary>
internal sealed class ModuleSession : IDisposable
{
    private readonly Runspace _runspace;

    public ModuleSession()
    {
        _runspace = RunspaceFactory.CreateRunspace(InitialSessionState.CreateDefault2());
        _runspace.Open();
    }

    public static string Manifest { get; } = typeof(ModuleSession).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(data => data.Key == "ModuleManifest").Value!;

    public static string Lib { get; } = Path.Combine(Path.GetDirectoryName(Manifest)!, "bin", "lib");

    /// <summary>Runs a script to its end; any error of it is thrown.</summary>
    public IReadOnlyList<PSObject> Run(string script)
    {
        using var shell = System.Management.Automation.PowerShell.Create(_runspace);
        return shell.AddScript($"$ErrorActionPreference = 'Stop'; $manifest = '{Manifest.Replace("'", "''", StringComparison.Ordinal)}'; {script}").Invoke();
    }

    /// <summary>Runs a script and hands over everything that it wrote.</summary>
    public (IReadOnlyList<PSObject> Output, PSDataStreams Streams) RunWithStreams(string script)
    {
        using var shell = System.Management.Automation.PowerShell.Create(_runspace);
        var output = shell.AddScript(script).Invoke();
        return (output, shell.Streams);
    }

    public void Dispose() => _runspace.Dispose();
}
