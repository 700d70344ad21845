# Dot-sourced by each test file in BeforeAll: the built module, and a user of its own, so that nothing of the real one is read or written.
Import-Module "$PSScriptRoot/../../Sisyphus.psd1" -Force

function Use-TestUser {
    param([Parameter(Mandatory)] [string] $Folder)

    foreach ($name in 'CONFIG', 'DATA', 'CACHE') {
        [Environment]::SetEnvironmentVariable("XDG_${name}_HOME", "$Folder/$($name.ToLowerInvariant())")
    }
    [Environment]::SetEnvironmentVariable('SISYPHUS_BROKER', $null)
    [Environment]::SetEnvironmentVariable('SISYPHUS_STORE', $null)
    [Environment]::SetEnvironmentVariable('SISYPHUS_NODE', $null)
    Connect-Sisyphus
}

# The error that a script block ends with or writes; $null when there is none.
function Get-ErrorOf {
    param([Parameter(Mandatory)] [scriptblock] $ScriptBlock)

    try {
        $written = & $ScriptBlock 2>&1 | Where-Object { $_ -is [System.Management.Automation.ErrorRecord] }
        @($written)[0]
    }
    catch {
        $_
    }
}

# The host in a process of its own, with this one's environment: runs a text that has the module.
function Start-TestHost {
    param([Parameter(Mandatory)] [string] $Text)

    $file = "$TestDrive/host-$([guid]::NewGuid()).ps1"
    Set-Content -LiteralPath $file -Value "Import-Module '$PSScriptRoot/../../Sisyphus.psd1'`n$Text"
    Start-Process -FilePath (Get-TestHost) -ArgumentList $file -PassThru
}

# The host's executable, the one that was built last.
function Get-TestHost {
    $built = @('Debug', 'Release') | ForEach-Object {
        Join-Path $PSScriptRoot "../../src/Sisyphus.Host/bin/$_/net10.0/sisyphus$(if ($IsWindows) { '.exe' })"
    } | Where-Object { Test-Path $_ } | Sort-Object { [IO.File]::GetLastWriteTimeUtc($_) } | Select-Object -Last 1
    if (-not $built) { throw 'The host is not built: dotnet build Sisyphus.sln' }
    $built
}

# An image that holds busybox and its tools; returns its reference, or nothing where there is no docker command or no static busybox.
function New-TestImage {
    param([string] $Name = 'sisyphus-pester:busybox')

    foreach ($program in 'docker', 'busybox') {
        if (-not (Get-Command $program -CommandType Application -ErrorAction SilentlyContinue)) { return }
    }
    . "$PSScriptRoot/../../examples/engine.ps1"
    . "$PSScriptRoot/../../examples/image.ps1"
    New-BusyboxImage -Name $Name
    $Name
}
