<#
.SYNOPSIS
Runs a node until it is stopped or has nothing to do: what a service unit or a scheduled job starts.
.DESCRIPTION
Ctrl+C or SIGTERM drains: running tasks finish, nothing new is taken. A second one abandons: containers are stopped, their tasks
are back on the queue at once. Prints a line for each task.
.EXAMPLE
sisyphus examples/node.ps1 -Name bench-3 -Concurrency 4
#>
[CmdletBinding()]
param(
    [string] $Broker,
    [string] $Store,
    [string] $Name,
    [int] $Concurrency = 1,
    [string] $IdleTimeout,
    [string] $LeaseTime
)

$ErrorActionPreference = 'Stop'
Import-Module (Join-Path $PSScriptRoot '../Sisyphus.psd1')

# Whatever is not given comes from the environment or the settings file.
Start-SisyphusNode @PSBoundParameters | ForEach-Object {
    Write-Host "$($_.Node) $($_.State) $($_.Name ?? $_.Id) $($_.Duration.TotalSeconds.ToString('0.0')) s $($_.Message)"
}
