# Dot-sourced by each test file in BeforeAll: the built module, and a user of its own, so that nothing of the real one is read or written.
Import-Module "$PSScriptRoot/../../Sisyphus.psd1" -Force

function Use-TestUser {
    param([Parameter(Mandatory)] [string] $Folder)

    foreach ($name in 'CONFIG', 'DATA', 'CACHE') {
        [Environment]::SetEnvironmentVariable("XDG_${name}_HOME", "$Folder/$($name.ToLowerInvariant())")
    }
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

# An image that holds busybox and nothing else; returns its reference, or nothing where there is no engine or no static busybox.
function New-TestImage {
    param([string] $Name = 'sisyphus-pester:busybox')

    $busybox = '/bin/busybox'
    $docker = Get-Command docker -CommandType Application -ErrorAction SilentlyContinue
    if (-not $docker -or -not [IO.File]::Exists($busybox)) {
        return
    }
    $root = [IO.Directory]::CreateTempSubdirectory('sisyphus-pester-').FullName
    try {
        $null = [IO.Directory]::CreateDirectory("$root/bin")
        [IO.File]::Copy($busybox, "$root/bin/busybox")
        foreach ($link in 'sh', 'cat', 'wc', 'md5sum', 'sleep', 'echo', 'true', 'false', 'id', 'seq', 'mkdir', 'cp', 'ln') {
            $null = [IO.File]::CreateSymbolicLink("$root/bin/$link", 'busybox')
        }
        # A pipe between native programs is binary only since 7.4 in pwsh and not in every host: go through a file.
        tar -C $root -cf "$root.tar" .
        docker import "$root.tar" $Name | Out-Null
        if ($LASTEXITCODE -eq 0) { $Name }
    }
    finally {
        [IO.Directory]::Delete($root, $true)
        [IO.File]::Delete("$root.tar")
    }
}
