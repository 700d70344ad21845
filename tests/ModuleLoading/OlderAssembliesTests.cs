using System.Reflection;
using System.Runtime.Loader;

using Xunit;

namespace Sisyphus.Tests.ModuleLoading;

/// <summary>The module in a process that already has older copies of the engine's dependencies, as a session with other modules has.</summary>
public sealed class OlderAssembliesTests
{
    private const string NewTask = "(New-SisyphusTask -Image alpine:latest -Command wc, -c, /in/a -Input @{'demo:a' = '/in/a'} -Output @{'demo:count' = '>'}).Json";
    private const string TaskJson = """{"image":"alpine:latest","inputs":{"demo:a":"/in/a"},"outputs":{"demo:count":">"},"command":["wc","-c","/in/a"]}""";

    // Makes the container engine's client, and with it every dependency, load; there is no engine at that address.
    private const string UseEngine = "try { @{image = 'alpine'; command = @('true')} | Invoke-SisyphusTask -Engine tcp://127.0.0.1:9 } catch { $_.FullyQualifiedErrorId }";

    private static readonly Assembly[] Older =
    [
        typeof(Docker.DotNet.DockerClient).Assembly,
        typeof(Microsoft.Extensions.Logging.ILogger).Assembly,
    ];

    [Fact]
    public void Import_OlderDependenciesLoaded_UsesItsOwn()
    {
        Assert.All(Older, assembly => Assert.Same(AssemblyLoadContext.Default, AssemblyLoadContext.GetLoadContext(assembly)));
        // The test is worth nothing if the copies are not older.
        Assert.All(Older, assembly => Assert.True(assembly.GetName().Version < AssemblyName.GetAssemblyName(Path.Combine(ModuleSession.Lib, assembly.GetName().Name + ".dll")).Version));
        using var session = new ModuleSession();

        var ids = session.Run($"Import-Module $manifest; {UseEngine}");

        Assert.Equal("Sisyphus.EngineUnavailable,Sisyphus.PowerShell.Commands.InvokeSisyphusTaskCommand", Assert.Single(ids).ToString());
        var ours = AssemblyLoadContext.All.Single(context => context.Name == "Sisyphus").Assemblies.ToDictionary(assembly => assembly.GetName().Name!);
        Assert.All(Older, assembly => Assert.NotEqual(assembly.GetName().Version, ours[assembly.GetName().Name!].GetName().Version));
        Assert.DoesNotContain(AssemblyLoadContext.Default.Assemblies, assembly => assembly.GetName().Name == "Sisyphus.Engine");
    }

    [Fact]
    public void Import_TwiceWithForce_CmdletsStillWork()
    {
        using var session = new ModuleSession();

        var json = session.Run($"Import-Module $manifest -Force; Import-Module $manifest -Force; {NewTask}");

        Assert.Equal(TaskJson, Assert.Single(json).ToString());
    }

    [Fact]
    public void Import_RemovedAndImportedAgain_CmdletsStillWork()
    {
        using var session = new ModuleSession();

        var json = session.Run($"Import-Module $manifest; Remove-Module Sisyphus; Import-Module $manifest; {NewTask}");

        Assert.Equal(TaskJson, Assert.Single(json).ToString());
    }

    [Fact]
    public void Import_SecondRunspace_SharesTheEngine()
    {
        using var first = new ModuleSession();
        using var second = new ModuleSession();

        var task = first.Run("Import-Module $manifest; New-SisyphusTask -Image alpine -Command true");
        var other = second.Run("Import-Module $manifest; New-SisyphusTask -Image alpine -Command true");

        Assert.Same(task[0].BaseObject.GetType(), other[0].BaseObject.GetType());
    }

    [Fact]
    public void Connect_OneRunspace_LeavesTheOtherAlone()
    {
        using var first = new ModuleSession();
        using var second = new ModuleSession();
        first.Run("Import-Module $manifest; Connect-Sisyphus -Store /srv/one");
        second.Run("Import-Module $manifest");

        const string source = "Get-SisyphusContext Store | ForEach-Object Source | ForEach-Object ToString";
        Assert.Equal("Session", first.Run(source)[0].ToString());
        Assert.NotEqual("Session", second.Run(source)[0].ToString());
    }

    [Fact]
    public void Manifest_Exports_ExactlyTheCmdlets()
    {
        using var session = new ModuleSession();

        var exported = session.Run("Import-Module $manifest; (Get-Module Sisyphus).ExportedCommands.Keys").Select(name => name.ToString()).Order(StringComparer.Ordinal);
        var declared = session.Run("(Test-ModuleManifest $manifest).ExportedCmdlets.Keys").Select(name => name.ToString()).Order(StringComparer.Ordinal);

        Assert.NotEmpty(declared);
        Assert.Equal(declared, exported);
    }

    [Fact]
    public void Bin_Files_HoldNothingOfPowerShellItself()
    {
        var shipped = Directory.EnumerateFiles(Path.GetDirectoryName(ModuleSession.Lib)!, "*.dll", SearchOption.AllDirectories).Select(Path.GetFileName);

        Assert.DoesNotContain(shipped, name => name!.StartsWith("System.Management.Automation", StringComparison.Ordinal) || name.StartsWith("Microsoft.PowerShell", StringComparison.Ordinal));
    }
}
