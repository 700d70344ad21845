# A small stand-in for Pester where there is only the host. Two phases, as in Pester 5 and 6: discovery runs the files and the
# bodies of Describe and Context and collects what it finds; the run executes what was collected, every test in a scope of its own.

Set-StrictMode -Version 3
$ErrorActionPreference = 'Stop'

foreach ($part in 'Discovery', 'Run', 'Should', 'Report') {
    . (Join-Path $PSScriptRoot "$part.ps1")
}

function Invoke-TestFile {
    <#
    .SYNOPSIS
    Runs test files and returns one summary: Passed, Failed, Skipped, Failures.
    .PARAMETER Path
    Test files, or folders whose *.Tests.ps1 are run.
    .PARAMETER Tag
    Only tests with one of these tags, their own or their blocks'.
    .PARAMETER ExcludeTag
    No tests with one of these tags.
    .PARAMETER FullName
    Only tests whose full name (blocks and test, joined by dots) is like one of these.
    #>
    [CmdletBinding()]
    param(
        [Parameter(Mandatory, Position = 0)] [string[]] $Path,
        [string[]] $Tag = @(),
        [string[]] $ExcludeTag = @(),
        [string[]] $FullName = @(),
        [ValidateSet('Normal', 'Detailed')] [string] $Output = 'Normal'
    )

    $files = @(Find-TestFile $Path)
    if ($files.Count -eq 0) {
        throw "No test files (*.Tests.ps1) in: $($Path -join ', ')"
    }

    $summary = New-Summary
    $filter = @{ Tag = $Tag; ExcludeTag = $ExcludeTag; FullName = $FullName }
    # Test files run in the caller's session state, like Pester's: they do not see the functions of this module that are its own.
    $inner = New-SessionBoundCode $PSCmdlet.SessionState
    foreach ($file in $files) {
        Write-FileStart $file
        $root = Get-TestTree $file $inner $summary
        if ($null -ne $root) {
            Select-Test $root $filter
            Invoke-Container $root $inner $summary $Output
        }
    }

    Write-Summary $summary
    $summary
}

function Find-TestFile([string[]] $Path) {
    foreach ($one in $Path) {
        $full = $ExecutionContext.SessionState.Path.GetUnresolvedProviderPathFromPSPath($one)
        if ([IO.Directory]::Exists($full)) {
            $found = [IO.Directory]::GetFiles($full, '*.Tests.ps1', [IO.SearchOption]::AllDirectories)
            [array]::Sort($found, [StringComparer]::Ordinal)
            $found
        }
        elseif ([IO.File]::Exists($full)) {
            $full
        }
        else {
            throw "There is no test file '$one'."
        }
    }
}
