<#
.SYNOPSIS
Runs the Pester files: with Pester 5 or later where there is one, otherwise with the runner beside this script. The exit code is 1
on any failure.
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

function Invoke-Pester5 {
    Import-Module Pester -MinimumVersion 5.0 -Force
    $configuration = New-PesterConfiguration
    $configuration.Run.Path = $Path
    $configuration.Run.PassThru = $true
    $configuration.Filter.Tag = $Tag
    $configuration.Filter.ExcludeTag = $ExcludeTag
    $configuration.Filter.FullName = $FullName
    $configuration.Output.Verbosity = $Output
    $result = Invoke-Pester -Configuration $configuration
    # Blocks and files that could not begin or end are failures too.
    @{
        Passed  = $result.PassedCount
        Failed  = $result.FailedCount + $result.FailedBlocksCount + $result.FailedContainersCount
        Skipped = $result.SkippedCount
    }
}

function Invoke-Runner {
    Import-Module (Join-Path $PSScriptRoot Runner/Runner.psd1) -Force
    Invoke-TestFile -Path $Path -Tag $Tag -ExcludeTag $ExcludeTag -FullName $FullName -Output $Output
}

$pester = Get-Module Pester -ListAvailable | Where-Object { $_.Version.Major -ge 5 }
$summary = if ($pester) { Invoke-Pester5 } else { Invoke-Runner }
if ($Report -and $null -ne $summary) {
    $counts = '{{"passed": {0}, "failed": {1}, "skipped": {2}}}' -f $summary.Passed, $summary.Failed, $summary.Skipped
    [IO.File]::WriteAllText($ExecutionContext.SessionState.Path.GetUnresolvedProviderPathFromPSPath($Report), $counts)
}

# No summary is no success either.
exit ($null -ne $summary -and $summary.Failed -eq 0 ? 0 : 1)
