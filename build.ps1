#!/usr/bin/env pwsh
<#
.SYNOPSIS
Builds, tests, packs and cleans. With pwsh: ./build.ps1 Test. Without: dotnet run --project src/Sisyphus.Host -- build.ps1 Test
.PARAMETER Task
Build: the solution; the module is then in ./Sisyphus.psd1 and ./bin. Test: builds, sets a container engine up where none answers,
installs a RabbitMQ broker where there is none, runs every suite, stops what it started and ends with the counts. Pack: the module
folder and a gallery package in ./out.
.PARAMETER Suite
The suites that Test runs: Unit, ModuleLoading, Integration, Broker, Pester, or several of them.
.PARAMETER Filter
Only tests whose full name is like this, with * as wildcard.
#>
[CmdletBinding()]
param(
    [Parameter(Position = 0)] [ValidateSet('Build', 'Test', 'Pack', 'Clean')] [string] $Task = 'Build',
    [ValidateSet('Debug', 'Release')] [string] $Configuration = $(if ($Task -eq 'Pack') { 'Release' } else { 'Debug' }),
    [ValidateSet('Unit', 'ModuleLoading', 'Stores', 'Integration', 'Broker', 'Pester')] [string[]] $Suite = @('Unit', 'ModuleLoading', 'Stores', 'Integration', 'Broker', 'Pester'),
    [string] $Filter
)

$ErrorActionPreference = 'Stop'

function Invoke-Dotnet {
    & dotnet @args
    if ($LASTEXITCODE -ne 0) { throw "dotnet $args ended with exit code $LASTEXITCODE." }
}

function Invoke-Build {
    # No build server stays behind: it would hold the module's files.
    Invoke-Dotnet build (Join-Path $PSScriptRoot Sisyphus.sln) --configuration $Configuration --nologo --verbosity quiet '-nodeReuse:false'
}

function Invoke-Clean {
    Invoke-Dotnet clean (Join-Path $PSScriptRoot Sisyphus.sln) --configuration $Configuration --nologo --verbosity quiet '-nodeReuse:false'
    foreach ($folder in 'bin', 'out') {
        $path = Join-Path $PSScriptRoot $folder
        if (Test-Path -LiteralPath $path) { Remove-Item -LiteralPath $path -Recurse -Force }
    }
}

switch ($Task) {
    Build { Invoke-Build }
    Clean { Invoke-Clean }
    Pack {
        Invoke-Build
        & (Join-Path $PSScriptRoot build/Pack.ps1) -Destination (Join-Path $PSScriptRoot out)
    }
    Test {
        Invoke-Build
        & (Join-Path $PSScriptRoot build/Test.ps1) -Configuration $Configuration -Suite $Suite -Filter $Filter
        exit $LASTEXITCODE
    }
}
