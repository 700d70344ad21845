<#
.SYNOPSIS
Watches one task go all the way: sent to the queue, taken by a node, staged, run in a real container, published, recorded.
.DESCRIPTION
Finds a container engine (on Debian or Ubuntu as root it can install one), finds an image, puts an input into the embedded
store, sends examples/md5sum.json unchanged, starts a node for it and prints what happened and what was published. The queue
lies in a folder of its own, so that this node takes no task but this one. Safe to run again and again.
.PARAMETER RabbitMQ
Send the task over a RabbitMQ broker: that of SISYPHUS_BROKER, or a private one started for it.
.EXAMPLE
dotnet run --project src/Sisyphus.Host -- examples/quickstart.ps1
.EXAMPLE
pwsh examples/quickstart.ps1 -RabbitMQ
#>
[CmdletBinding()]
param([switch] $RabbitMQ)

$ErrorActionPreference = 'Stop'
Import-Module (Join-Path $PSScriptRoot '../Sisyphus.psd1')
. (Join-Path $PSScriptRoot broker.ps1)
. (Join-Path $PSScriptRoot image.ps1)

function Write-Step([string] $Text) {
    Write-Host ''
    Write-Host "== $Text"
}

Write-Step 'A container engine'
$engine = Initialize-ContainerEngine
$broker = $null
$work = [IO.Directory]::CreateTempSubdirectory('sisyphus-quickstart-').FullName
try {
    Write-Step 'An image'
    Initialize-ContainerImage alpine:latest

    Write-Step 'A queue and a store'
    if ($RabbitMQ) {
        $broker = Initialize-Broker
        # A prefix of its own: on a broker that others use too, this node takes no task but this one.
        Connect-Sisyphus -Broker (Get-BrokerAddress $broker "quickstart-$PID")
    }
    else {
        Connect-Sisyphus -Broker "sqlite:$work/queue.db"
    }
    Get-SisyphusContext | Out-Host

    Write-Step 'An input in the store'
    Set-Content -LiteralPath "$work/clear" -Value 'One must imagine Sisyphus happy.'
    Copy-SisyphusObject -LiteralPath "$work/clear" -Destination 'sisyphus:data/clear' -Force -PassThru | Out-Host

    Write-Step 'Send the task: examples/md5sum.json'
    Get-Content -LiteralPath (Join-Path $PSScriptRoot 'md5sum.json') | Out-Host
    $task = Import-SisyphusTask -LiteralPath (Join-Path $PSScriptRoot 'md5sum.json') | Send-SisyphusTask -PassThru
    Get-SisyphusQueue | Out-Host

    Write-Step 'Start a node; it ends after one task'
    $result = Start-SisyphusNode -MaxTasks 1
    $result | Format-List | Out-Host
    if ($result.State -ne 'Complete') {
        throw "The task ended as $($result.State): $($result.Message)"
    }

    Write-Step 'What happened to the task'
    Watch-SisyphusTask -Id $task.Id | Out-Host

    Write-Step 'The published object: sisyphus:data/crypt'
    Copy-SisyphusObject -Path 'sisyphus:data/crypt' -Destination "$work/crypt"
    Get-Content -LiteralPath "$work/crypt" | Out-Host

    Write-Step "Its record: $($result.Record)"
    Copy-SisyphusObject -Path $result.Record -Destination "$work/record"
    Get-Content -LiteralPath "$work/record" -Raw | ConvertFrom-Json | ConvertTo-Json -Depth 10 | Out-Host
}
finally {
    Remove-Item -LiteralPath $work -Recurse -Force
    Stop-Broker $broker
    Stop-ContainerEngine $engine
}
