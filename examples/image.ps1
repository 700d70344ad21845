# Finding an image to run. Dot-sourced by the examples and by the tests:
#   Initialize-ContainerImage alpine:latest

function Initialize-ContainerImage {
    <#
    .SYNOPSIS
    Makes an image present: as it is, pulled, or, where no registry answers, a stand-in made of a static busybox.
    #>
    [CmdletBinding()]
    param([Parameter(Mandatory, Position = 0)] [string] $Name)

    $docker = Get-Command docker -CommandType Application -ErrorAction Ignore | Select-Object -First 1
    if (-not $docker) { throw 'The docker command is missing: install it (Debian and Ubuntu: apt-get install docker.io), or pull the image with your engine''s own command.' }
    & $docker image inspect $Name *> $null
    if ($LASTEXITCODE -eq 0) {
        Write-Host "$Name is present."
        return
    }

    Write-Host "Pulling $Name."
    & $docker pull --quiet $Name *> $null
    if ($LASTEXITCODE -eq 0) { return }

    Write-Host "No registry gave it; a stand-in is made from busybox-static and tagged $Name (docker rmi $Name removes it)."
    New-BusyboxImage -Name $Name
}

function New-BusyboxImage {
    <#
    .SYNOPSIS
    Imports an image that holds a static busybox and a link for each of its tools.
    #>
    [CmdletBinding()]
    param([Parameter(Mandatory)] [string] $Name)

    $busybox = Get-Command busybox -CommandType Application -ErrorAction Ignore | Select-Object -First 1
    if (-not $busybox -and (Test-Debian) -and (Test-CanSetUp)) {
        Install-DebianPackage busybox-static
        $busybox = Get-Command busybox -CommandType Application | Select-Object -First 1
    }
    if (-not $busybox) { throw 'No busybox to make an image of: install busybox-static, or pull an image yourself.' }

    $work = [IO.Directory]::CreateTempSubdirectory('sisyphus-image-').FullName
    try {
        $root = Join-Path $work root
        foreach ($folder in 'bin', 'etc', 'mnt', 'root', 'tmp') { $null = [IO.Directory]::CreateDirectory("$root/$folder") }
        Copy-Item -LiteralPath $busybox.Source -Destination "$root/bin/busybox"
        & $busybox --list | Where-Object { $_ -ne 'busybox' } | ForEach-Object { $null = [IO.File]::CreateSymbolicLink("$root/bin/$_", 'busybox') }
        [IO.File]::WriteAllText("$root/etc/passwd", "root:x:0:0:root:/root:/bin/sh`n")
        [IO.File]::SetUnixFileMode("$root/tmp", 'UserRead, UserWrite, UserExecute, GroupRead, GroupWrite, GroupExecute, OtherRead, OtherWrite, OtherExecute, StickyBit')
        # Through a file: text goes between native programs in pipes only since PowerShell 7.4.
        & tar --numeric-owner --owner 0 --group 0 -C $root -cf "$work/image.tar" .
        & docker import --change 'LABEL sisyphus.stand-in=busybox' "$work/image.tar" $Name | Out-Null
        if ($LASTEXITCODE -ne 0) { throw "docker import ended with exit code $LASTEXITCODE." }
    }
    finally {
        Remove-Item -LiteralPath $work -Recurse -Force
    }
}
