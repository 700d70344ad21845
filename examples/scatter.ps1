<#
.SYNOPSIS
Scatters tasks over two nodes, kills one of them with SIGKILL half-way and shows that each task is published once.
.DESCRIPTION
Sends a task for each number; each squares its input. Two nodes take them, in processes of their own. When half of the tasks are
complete, the first node is killed, containers and all its work in the middle. The second node takes over what it had; at the end
every output is there, and each was decided by exactly one attempt. Everything lies in a temporary folder.
.PARAMETER Count
Tasks.
.PARAMETER RabbitMQ
Over a RabbitMQ broker: that of SISYPHUS_BROKER, or a private one started for it. A lease of 9 seconds instead of 3 minutes keeps the wait short.
.EXAMPLE
dotnet run --project src/Sisyphus.Host -- examples/scatter.ps1
#>
[CmdletBinding()]
param(
    [ValidateRange(2, 10000)] [int] $Count = 50,
    [switch] $RabbitMQ
)

$ErrorActionPreference = 'Stop'
Import-Module (Join-Path $PSScriptRoot '../Sisyphus.psd1')
. (Join-Path $PSScriptRoot broker.ps1)
. (Join-Path $PSScriptRoot image.ps1)

# The program that runs this script runs the nodes too: pwsh or sisyphus.
function Start-NodeProcess([string] $Name, [string] $Work) {
    $arguments = '-File', (Join-Path $PSScriptRoot node.ps1), '-Name', $Name, '-Concurrency', '2', '-IdleTimeout', '30s', '-LeaseTime', '9s'
    Start-Process -FilePath ([Environment]::ProcessPath) -ArgumentList $arguments -PassThru -RedirectStandardOutput "$Work/$Name.log" -RedirectStandardError "$Work/$Name.err"
}

$broker = $null
$engine = Initialize-ContainerEngine
$work = [IO.Directory]::CreateTempSubdirectory('sisyphus-scatter-').FullName
$nodes = @()
# The nodes inherit the environment, so it says where everything is.
$before = $env:SISYPHUS_BROKER, $env:SISYPHUS_STORE
try {
    Initialize-ContainerImage alpine:latest
    if ($RabbitMQ) {
        $broker = Initialize-Broker
        $env:SISYPHUS_BROKER = Get-BrokerAddress $broker "scatter-$PID"
    }
    else {
        $env:SISYPHUS_BROKER = "sqlite:$work/queue.db"
    }
    $env:SISYPHUS_STORE = "$work/store"
    $null = New-Item -ItemType Directory -Path "$work/store"

    $sent = 1..$Count | ForEach-Object {
        New-SisyphusTask -Name "square-$_" -Image alpine:latest -Command sh, -c, "sleep 0.3; echo `$(($_ * $_))" -Output @{ "numbers:square/$_" = '>' }
    } | Send-SisyphusTask -PassThru
    Write-Host "$($sent.Count) tasks are on the queue."

    $nodes = 'first', 'second' | ForEach-Object { Start-NodeProcess $_ $work }
    $half = [int] ($Count / 2)
    $sent | Wait-SisyphusTask | Select-Object -First $half | Out-Null
    $nodes[0].Kill()
    Write-Host "$half tasks are complete; the first node (process $($nodes[0].Id)) was killed."

    $ended = @($sent | Wait-SisyphusTask -Timeout 10m)
    $ended | Group-Object State, Node | ForEach-Object { Write-Host "$($_.Count) x $($_.Name)" }
    $lost = @($ended | Where-Object Losses -gt 0)
    Write-Host "$($lost.Count) tasks lost their node and were run again."

    $wrong = @(1..$Count | Where-Object { (Get-Content -LiteralPath "$work/store/numbers/square/$_" -Raw).Trim() -ne "$($_ * $_)" })
    $complete = @($ended | Where-Object State -eq Complete)
    $decisions = @(Get-ChildItem -LiteralPath "$work/store/numbers/.sisyphus" -Recurse -Filter published.json)
    if ($wrong.Count -gt 0 -or $complete.Count -ne $Count -or $decisions.Count -ne $Count) {
        throw "$($complete.Count) of $Count complete, $($decisions.Count) decisions, $($wrong.Count) wrong outputs."
    }
    Write-Host "All $Count are published, each once."

    Stop-SisyphusNode -Name second
    $nodes[1].WaitForExit()
    # The next start of a node on the same work folder removes the killed one's containers.
    Start-SisyphusNode -Name first -IdleTimeout 0s
}
finally {
    $nodes | Where-Object { -not $_.HasExited } | ForEach-Object { $_.Kill(); $_.WaitForExit() }
    $env:SISYPHUS_BROKER, $env:SISYPHUS_STORE = $before
    Remove-Item -LiteralPath $work -Recurse -Force
    Stop-Broker $broker
    Stop-ContainerEngine $engine
}
