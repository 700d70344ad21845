using System.Management.Automation;
using System.Management.Automation.Runspaces;
using System.Reflection;
using Microsoft.PowerShell;

namespace Sisyphus.Host;

/// <summary>What a session starts with: the engine's own commands, and stand-ins where the everyday modules are absent.</summary>
internal static class SessionDefaults
{
    public static InitialSessionState Create()
    {
        var state = InitialSessionState.CreateDefault2();
        if (OperatingSystem.IsWindows() && Environment.GetEnvironmentVariable("PSExecutionPolicyPreference") is null)
            state.ExecutionPolicy = ExecutionPolicy.RemoteSigned;
        if (!EverydayModulesAreHere())
            AddStandIns(state);
        return state;
    }

    public static void AfterOpen(Runspace runspace)
    {
        if (!EverydayModulesAreHere())
            MissingCommandHint.Attach(runspace);
    }

    // The engine resolves the two modules' assemblies beside itself; a pwsh elsewhere on the machine has another version of the
    // engine, and mixing them fails at the first call.
    private static bool EverydayModulesAreHere()
    {
        var home = Path.GetDirectoryName(typeof(PowerShell).Assembly.Location)!;
        return File.Exists(Path.Combine(home, "Microsoft.PowerShell.Commands.Utility.dll"));
    }

    private static void AddStandIns(InitialSessionState state)
    {
        foreach (var type in typeof(SessionDefaults).Assembly.GetTypes())
        {
            if (type.GetCustomAttribute<CmdletAttribute>() is not { } cmdlet)
                continue;
            var name = $"{cmdlet.VerbName}-{cmdlet.NounName}";
            state.Commands.Add(new SessionStateCmdletEntry(name, type, null));
        }

        // As in pwsh, where Unix has programs of these names that scripts mean.
        if (!OperatingSystem.IsWindows())
            return;
        foreach (var (alias, command) in WindowsAliases)
            state.Commands.Add(new SessionStateAliasEntry(alias, command));
    }

    private static readonly (string Alias, string Command)[] WindowsAliases =
    [
        ("sort", "Sort-Object"), ("tee", "Tee-Object"), ("write", "Write-Output"), ("sleep", "Start-Sleep"), ("cat", "Get-Content"),
        ("ls", "Get-ChildItem"), ("cp", "Copy-Item"), ("mv", "Move-Item"), ("rm", "Remove-Item"), ("ps", "Get-Process"), ("kill", "Stop-Process"),
    ];
}
