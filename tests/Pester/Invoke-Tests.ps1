<#
.SYNOPSIS
Runs the Pester files with the runner beside this script; the exit code is 1 on any failure. With Pester: Invoke-Pester tests/Pester
.PARAMETER Report
A JSON file for the counts: passed, failed, skipped.
#>
[CmdletBinding()]
param(
    [string[]] $Path = $PSScriptRoot,
    [string[]] $Tag = @(),
    [string[]] $ExcludeTag = @(),
    [string[]] $FullName = @(),
    [ValidateSet('Normal', 'Detailed')] [string] $Output = 'Normal',
    [string] $Report
)

Import-Module (Join-Path $PSScriptRoot Runner/Runner.psd1) -Force
$summary = Invoke-TestFile -Path $Path -Tag $Tag -ExcludeTag $ExcludeTag -FullName $FullName -Output $Output
if ($Report) {
    $counts = '{{"passed": {0}, "failed": {1}, "skipped": {2}}}' -f $summary.Passed, $summary.Failed, $summary.Skipped
    [IO.File]::WriteAllText($ExecutionContext.SessionState.Path.GetUnresolvedProviderPathFromPSPath($Report), $counts)
}

# No summary is no success either.
exit ($summary.Failed -eq 0 ? 0 : 1)
