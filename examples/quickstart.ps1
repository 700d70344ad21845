<#
.SYNOPSIS
Watches one task go all the way: object store, staging, a real container, publishing, the record.
.DESCRIPTION
Finds a container engine (on Debian or Ubuntu as root it can install one), finds an image, puts an input into the
embedded store, runs examples/md5sum.json unchanged and prints what was published. Safe to run again and again.
.EXAMPLE
dotnet run --project src/Sisyphus.Host -- examples/quickstart.ps1
.EXAMPLE
pwsh examples/quickstart.ps1
#>
[CmdletBinding()]
param()

$ErrorActionPreference = 'Stop'
Import-Module (Join-Path $PSScriptRoot '../Sisyphus.psd1')
. (Join-Path $PSScriptRoot engine.ps1)
. (Join-Path $PSScriptRoot image.ps1)

function Write-Step([string] $Text) {
    Write-Host ''
    Write-Host "== $Text"
}

Write-Step 'A container engine'
$engine = Initialize-ContainerEngine
try {
    Write-Step 'An image'
    Initialize-ContainerImage alpine:latest

    Write-Step 'An input in the store'
    Get-SisyphusContext | Out-Host
    $clear = Join-Path ([System.IO.Path]::GetTempPath()) "sisyphus-quickstart-$PID"
    Set-Content -LiteralPath $clear -Value 'One must imagine Sisyphus happy.'
    try {
        Copy-SisyphusObject -LiteralPath $clear -Destination 'sisyphus:data/clear' -Force -PassThru | Out-Host
    }
    finally {
        Remove-Item -LiteralPath $clear
    }

    Write-Step 'The task: examples/md5sum.json'
    Get-Content -LiteralPath (Join-Path $PSScriptRoot 'md5sum.json') | Out-Host
    $result = Import-SisyphusTask -LiteralPath (Join-Path $PSScriptRoot 'md5sum.json') | Invoke-SisyphusTask -Verbose
    $result | Format-List | Out-Host
    if ($result.State -ne 'Complete') {
        throw "The task ended as $($result.State): $($result.Message)"
    }

    $fetched = Join-Path ([System.IO.Path]::GetTempPath()) "sisyphus-quickstart-$PID"
    New-Item -ItemType Directory -Path $fetched | Out-Null
    try {
        Write-Step 'The published object: sisyphus:data/crypt'
        Copy-SisyphusObject -Path 'sisyphus:data/crypt' -Destination (Join-Path $fetched 'crypt')
        Get-Content -LiteralPath (Join-Path $fetched 'crypt') | Out-Host

        Write-Step "Its record: $($result.Record)"
        Copy-SisyphusObject -Path $result.Record -Destination (Join-Path $fetched 'record')
        Get-Content -LiteralPath (Join-Path $fetched 'record') -Raw | ConvertFrom-Json | ConvertTo-Json -Depth 10 | Out-Host
    }
    finally {
        Remove-Item -LiteralPath $fetched -Recurse
    }
}
finally {
    Stop-ContainerEngine $engine
}
