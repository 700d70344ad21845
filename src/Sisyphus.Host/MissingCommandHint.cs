using System.Collections.Frozen;
using System.Management.Automation;
using System.Management.Automation.Runspaces;

namespace Sisyphus.Host;

/// <summary>Says of a command that pwsh has and this host has not that it is so, instead of "is not recognized".</summary>
internal static class MissingCommandHint
{
    private static readonly FrozenSet<string> Known = """
        Clear-Content Clear-Item Clear-ItemProperty Clear-RecycleBin Clear-Variable ConvertFrom-Markdown ConvertFrom-SddlString
        ConvertFrom-StringData ConvertTo-Html ConvertTo-Xml ConvertFrom-CliXml ConvertTo-CliXml Copy-ItemProperty Debug-Process
        Debug-Runspace Disable-PSBreakpoint Enable-PSBreakpoint Export-Alias Export-Clixml Export-FormatData Export-PSSession
        Format-Custom Format-Hex Get-Alias Get-Clipboard Get-ComputerInfo Get-Culture Get-Error Get-Event Get-EventSubscriber
        Get-FormatData Get-HotFix Get-ItemProperty Get-ItemPropertyValue Get-MarkdownOption Get-PSBreakpoint Get-PSCallStack
        Get-PSDrive Get-PSProvider Get-Runspace Get-RunspaceDebug Get-SecureRandom Get-Service Get-TimeZone Get-TraceSource
        Get-TypeData Get-UICulture Get-Unique Get-Uptime Get-Verb Import-Alias Import-Clixml Import-LocalizedData Import-PSSession
        Invoke-Item Invoke-RestMethod Invoke-WebRequest Join-String Move-ItemProperty New-Alias New-Event New-ItemProperty
        New-PSDrive New-Service New-TemporaryFile New-Variable Out-GridView Out-Printer Register-EngineEvent Register-ObjectEvent
        Remove-Alias Remove-Event Remove-ItemProperty Remove-PSBreakpoint Remove-PSDrive Remove-TypeData Rename-Computer Rename-Item
        Rename-ItemProperty Restart-Computer Restart-Service Select-Xml Send-MailMessage Set-Alias Set-Clipboard Set-Date Set-Item
        Set-ItemProperty Set-MarkdownOption Set-PSBreakpoint Set-Service Set-TimeZone Set-TraceSource Show-Command Show-Markdown
        Start-Service Stop-Computer Stop-Service Test-Connection Test-Json Test-PSSessionConfigurationFile Trace-Command
        Unblock-File Unregister-Event Update-List Update-TypeData Wait-Debugger Wait-Event
        """.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries).ToFrozenSet(StringComparer.OrdinalIgnoreCase);

    public static void Attach(Runspace runspace)
    {
        // The lookup swallows an exception of the handler, so the answer is a command that fails.
        runspace.SessionStateProxy.InvokeCommand.CommandNotFoundAction = (_, found) =>
        {
            if (Known.Contains(found.CommandName))
                found.CommandScriptBlock = ScriptBlock.Create(
                    $"throw [System.Management.Automation.CommandNotFoundException]::new('{found.CommandName} is part of the full PowerShell (pwsh) and not of this host: run the script with pwsh, or see docs/host.md for what is here.')");
        };
    }
}
