<#
.SYNOPSIS
Runs the suites of a built clone; the last line is "N passed, N failed", the exit code 1 unless every suite ran and passed.
#>
[CmdletBinding()]
param(
    [string] $Configuration = 'Debug',
    [string[]] $Suite = @('Unit', 'ModuleLoading', 'Stores', 'Integration', 'Broker', 'Pester'),
    [string] $Filter
)

$ErrorActionPreference = 'Stop'
$root = Split-Path $PSScriptRoot
. (Join-Path $root examples/broker.ps1)

# The reports hold the counts; what the runners print is for people.
function Read-XunitReport([string] $Path) {
    $counts = @{ passed = 0; failed = 0; skipped = 0 }
    foreach ($assembly in ([xml] (Get-Content -LiteralPath $Path -Raw)).SelectNodes('/assemblies/assembly')) {
        # Not $assembly.errors: an element of that name stands beside the attribute as soon as there is one.
        $counts.passed += [int] $assembly.GetAttribute('passed')
        $counts.failed += [int] $assembly.GetAttribute('failed') + [int] $assembly.GetAttribute('errors')
        # What was not run is no skipped test: it is the other process of a test that starts one.
        $counts.skipped += [int] $assembly.GetAttribute('skipped')
    }
    $counts
}

function Install-Program([string[]] $Name, [string[]] $Package) {
    if ((Test-Debian) -and @(Get-Command $Name -CommandType Application -ErrorAction Ignore).Count -lt $Name.Count) { Install-DebianPackage $Package }
}

function Invoke-Xunit([string] $Name, [string] $Report) {
    $assembly = Join-Path $root "tests/$Name/bin/$Configuration/net10.0/Sisyphus.Tests.$Name.dll"
    $arguments = @('-xml', $Report)
    if ($Filter) { $arguments += '-method', $Filter }
    & dotnet $assembly @arguments | Out-Host
    $LASTEXITCODE
    if (Test-Path -LiteralPath $Report) { Read-XunitReport $Report }
}

function Invoke-PesterFile([string] $Report) {
    $script = Join-Path $root tests/Pester/Invoke-Tests.ps1
    $arguments = @('-File', $script, '-Report', $Report)
    if ($Filter) { $arguments += '-FullName', $Filter }
    & (Find-PowerShell) -NoProfile @arguments | Out-Host
    $LASTEXITCODE
    if (Test-Path -LiteralPath $Report) { Get-Content -LiteralPath $Report -Raw | ConvertFrom-Json -AsHashtable }
}

# A pwsh that has Pester, otherwise the host, which runs the same files with the runner of the repository.
function Find-PowerShell {
    $pwsh = Get-Command pwsh -CommandType Application -ErrorAction Ignore
    if ($pwsh) {
        $found = & $pwsh -NoProfile -NonInteractive -Command '(Get-Module Pester -ListAvailable).Version.Major -ge 5'
        if ("$found") { return $pwsh }
    }
    Join-Path $root "src/Sisyphus.Host/bin/$Configuration/net10.0/sisyphus$(if ($IsWindows) { '.exe' })"
}

$total = @{ passed = 0; failed = 0; skipped = 0 }
$reports = [IO.Directory]::CreateTempSubdirectory('sisyphus-reports-').FullName
$engine = $null
try {
    if ($Suite -contains 'Integration' -or $Suite -contains 'Pester') {
        $engine = Initialize-ContainerEngine -Package busybox-static, docker-registry
    }

    # The tests start their own brokers; Python's client is one of the foreign ones.
    if ($Suite -contains 'Broker') { Install-BrokerPackage -Package python3-pika }
    elseif ($Suite -contains 'Integration') { Install-BrokerPackage }

    # The stores' second opinions come from npm.
    if ($Suite | Where-Object { $_ -in 'Stores', 'Integration', 'Pester' }) { Install-Program npm -Package nodejs, npm }
    # Single tests mount a file system whose files share blocks, or lose packets in a network of their own, as nobody but root may.
    if ([Environment]::IsPrivilegedProcess) {
        if ($Suite -contains 'Unit') { Install-Program mkfs.xfs -Package xfsprogs }
        if ($Suite -contains 'Broker') { Install-Program ip, iptables -Package iproute2, iptables }
    }

    foreach ($name in $Suite) {
        Write-Host "== $name"
        $report = Join-Path $reports $name
        $exitCode, $counts = if ($name -eq 'Pester') { Invoke-PesterFile $report } else { Invoke-Xunit $name $report }
        $problem = if ($null -eq $counts) { "has left no report (exit code $exitCode)" }
        elseif ($counts.passed + $counts.failed + $counts.skipped -eq 0) { if (-not $Filter) { 'has run no test' } }
        elseif ($exitCode -ne 0 -and $counts.failed -eq 0) { "has ended with exit code $exitCode and reported no failure" }
        foreach ($key in @($total.Keys)) { if ($null -ne $counts) { $total[$key] += $counts[$key] } }
        if ($problem) {
            Write-Host "The suite $name $problem." -ForegroundColor Red
            $total.failed++
        }
    }
}
finally {
    Stop-ContainerEngine $engine
    Remove-Item -LiteralPath $reports -Recurse -Force
}

if ($total.passed + $total.failed + $total.skipped -eq 0) {
    Write-Host "No test is like '$Filter'." -ForegroundColor Red
    $total.failed++
}
"$($total.passed) passed, $($total.failed) failed$(if ($total.skipped) { ", $($total.skipped) skipped" })"
exit [int] ($total.failed -gt 0)
