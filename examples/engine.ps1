# Finding and starting a container engine. Dot-sourced by build.ps1 and examples/quickstart.ps1:
#   $engine = Initialize-ContainerEngine
#   try { … } finally { Stop-ContainerEngine $engine }

function Initialize-ContainerEngine {
    <#
    .SYNOPSIS
    Returns a container engine that answers: the one that is there, or one started for the caller.
    .DESCRIPTION
    On Debian and Ubuntu, as root, missing packages are installed and the daemon is started, after asking where a person is at the
    terminal. Elsewhere the error says what to do. What is returned knows what was started: give it to Stop-ContainerEngine.
    .PARAMETER Package
    Further Debian packages that the caller needs.
    .PARAMETER Yes
    Do not ask.
    .PARAMETER DaemonArgument
    Arguments for dockerd, for an engine beside the machine's own; DOCKER_HOST then has to name its socket.
    #>
    [CmdletBinding()]
    param([string[]] $Package = @(), [switch] $Yes, [string[]] $DaemonArgument = @())

    $endpoint = Get-EngineEndpoint
    $engine = [pscustomobject]@{ Endpoint = $endpoint; Daemon = $null; Service = $false; Log = $null }
    $answer = Test-EngineEndpoint $endpoint
    $needed = @($Package)
    if ($answer -eq 'Absent' -and -not (Get-Command dockerd -CommandType Application -ErrorAction Ignore)) { $needed += 'docker.io' }
    $missing = @(if (Test-Debian) { $needed | Where-Object { -not (Test-DebianPackage $_) } })

    if ($answer -eq 'Denied') {
        throw "The container engine at $endpoint refuses this user. Add the user to the group that owns the socket (usually: sudo usermod -aG docker $([Environment]::UserName), then log in again), or set DOCKER_HOST to a rootless engine."
    }
    if ($answer -eq 'Absent' -and -not (Test-CanSetUp)) {
        throw (Get-EngineAdvice $endpoint)
    }
    if ($missing.Count -gt 0) {
        if (-not (Test-CanSetUp)) { throw "These packages are missing: sudo apt-get install --yes $($missing -join ' ')" }
        Confirm-EngineStep "Install $($missing -join ', ') with apt-get?" $Yes
        Install-DebianPackage $missing
    }
    if ($answer -eq 'Answers') { return $engine }

    # Installing the package has started the service where there is systemd.
    if ((Test-EngineEndpoint $endpoint) -eq 'Answers') { return $engine }
    Confirm-EngineStep "Start the container engine (dockerd)?" $Yes
    Start-ContainerEngine $engine $DaemonArgument
    $engine
}

function Stop-ContainerEngine {
    <#
    .SYNOPSIS
    Stops what Initialize-ContainerEngine started, and nothing else.
    #>
    [CmdletBinding()]
    param([Parameter(Position = 0)] [AllowNull()] $Engine)

    if ($null -eq $Engine) { return }
    if ($Engine.Service) {
        Write-Host 'Stopping the docker service.'
        & systemctl stop docker.service docker.socket
    }
    elseif ($null -ne $Engine.Daemon -and -not $Engine.Daemon.HasExited) {
        Write-Host "Stopping dockerd (process $($Engine.Daemon.Id))."
        # A signal, as Stop-Process would kill it and leave its containers behind.
        & kill -TERM $Engine.Daemon.Id
        if (-not $Engine.Daemon.WaitForExit(30000)) { Write-Warning "dockerd has not ended after 30 seconds; its log: $($Engine.Log)" }
    }
}

# As the docker command finds its engine: DOCKER_HOST, the current context, the platform's default.
function Get-EngineEndpoint {
    if ($env:DOCKER_HOST) { return $env:DOCKER_HOST }
    $folder = if ($env:DOCKER_CONFIG) { $env:DOCKER_CONFIG } else { Join-Path ([Environment]::GetFolderPath('UserProfile')) '.docker' }
    $context = $env:DOCKER_CONTEXT
    $config = Join-Path $folder 'config.json'
    if (-not $context -and (Test-Path -LiteralPath $config)) {
        $context = (Get-Content -LiteralPath $config -Raw | ConvertFrom-Json -AsHashtable)['currentContext']
    }
    if ($context -and $context -ne 'default') {
        $name = [Convert]::ToHexString([Security.Cryptography.SHA256]::HashData([Text.Encoding]::UTF8.GetBytes($context))).ToLowerInvariant()
        $meta = Get-Content -LiteralPath (Join-Path $folder "contexts/meta/$name/meta.json") -Raw | ConvertFrom-Json -AsHashtable
        return $meta['Endpoints']['docker']['Host']
    }
    if ($IsWindows) { return 'npipe:////./pipe/docker_engine' }
    'unix:///var/run/docker.sock'
}

# Answers, Denied or Absent. The engine's own liveness request, over whatever stream leads there.
function Test-EngineEndpoint([string] $Endpoint) {
    $stream = $null
    try {
        $stream = Open-EngineStream $Endpoint
        $request = [Text.Encoding]::ASCII.GetBytes("GET /_ping HTTP/1.1`r`nHost: docker`r`nConnection: close`r`n`r`n")
        $stream.Write($request, 0, $request.Length)
        $first = [IO.StreamReader]::new($stream).ReadLine()
        if ("$first" -like 'HTTP/1.? 200*') { 'Answers' } else { 'Absent' }
    }
    catch {
        $cause = $_.Exception.GetBaseException()
        $denied = $cause -is [UnauthorizedAccessException] -or ($cause -is [Net.Sockets.SocketException] -and $cause.SocketErrorCode -eq 'AccessDenied')
        if ($denied) { 'Denied' } else { 'Absent' }
    }
    finally {
        if ($null -ne $stream) { $stream.Dispose() }
    }
}

function Open-EngineStream([string] $Endpoint) {
    $uri = [uri] $Endpoint
    $milliseconds = 5000
    if ($uri.Scheme -eq 'npipe') {
        $pipe = [IO.Pipes.NamedPipeClientStream]::new('.', ($uri.AbsolutePath -replace '^.*/pipe/'), 'InOut')
        $pipe.Connect($milliseconds)
        return $pipe
    }

    if ($uri.Scheme -eq 'unix') {
        $socket = [Net.Sockets.Socket]::new('Unix', 'Stream', 'Unspecified')
        $target = [Net.Sockets.UnixDomainSocketEndPoint]::new($uri.AbsolutePath)
    }
    else {
        $socket = [Net.Sockets.Socket]::new('Stream', 'Tcp')
        $target = [Net.DnsEndPoint]::new($uri.Host, $(if ($uri.Port -gt 0) { $uri.Port } else { 2375 }))
    }
    $socket.ReceiveTimeout = $milliseconds
    try { $socket.Connect($target) }
    catch {
        $socket.Dispose()
        throw
    }
    [Net.Sockets.NetworkStream]::new($socket, $true)
}

function Start-ContainerEngine($Engine, [string[]] $Argument) {
    if ($Argument.Count -eq 0 -and (Test-Path /run/systemd/system) -and (Get-Command systemctl -ErrorAction Ignore)) {
        Write-Host 'Starting the docker service.'
        & systemctl start docker.service
        if ($LASTEXITCODE -ne 0) { throw 'The docker service does not start: systemctl status docker' }
        $Engine.Service = $true
        if (-not (Wait-Engine $Engine)) { throw "The docker service is started and does not answer at $($Engine.Endpoint)." }
        return
    }

    $Engine.Log = Join-Path ([IO.Directory]::CreateTempSubdirectory('sisyphus-dockerd-').FullName) 'dockerd.log'
    # The second try is for containers and kernels that grant no packet filter: tasks then run without outbound network.
    foreach ($extra in @(), @('--iptables=false', '--ip6tables=false')) {
        # A session of its own: Ctrl+C at the terminal is for the caller, who stops the daemon last.
        $all = @('dockerd') + $Argument + $extra
        Write-Host "Starting dockerd$(if ($extra) { " with $($extra -join ' ')" }); its log: $($Engine.Log)."
        $Engine.Daemon = Start-Process -FilePath setsid -ArgumentList $all -RedirectStandardError $Engine.Log -RedirectStandardOutput "$($Engine.Log).out" -PassThru
        if (Wait-Engine $Engine) {
            if ($extra.Count -gt 0) { Write-Warning 'dockerd may not use iptables here: containers have no outbound network.' }
            return
        }
        Stop-ContainerEngine $Engine
    }
    $tail = (Get-Content -LiteralPath $Engine.Log -Tail 15) -join [Environment]::NewLine
    throw "dockerd does not start here. The end of its log, $($Engine.Log):$([Environment]::NewLine)$tail"
}

function Wait-Engine($Engine) {
    $clock = [Diagnostics.Stopwatch]::StartNew()
    while ($clock.Elapsed.TotalSeconds -lt 60) {
        if ((Test-EngineEndpoint $Engine.Endpoint) -eq 'Answers') { return $true }
        if ($null -ne $Engine.Daemon -and $Engine.Daemon.HasExited) { return $false }
        Start-Sleep -Milliseconds 200
    }
    $false
}

function Test-CanSetUp { (Test-Debian) -and [Environment]::IsPrivilegedProcess -and -not ($env:DOCKER_HOST -and $env:DOCKER_HOST -notlike 'unix:*') }

function Test-Debian { $IsLinux -and (Test-Path /etc/debian_version) -and [bool] (Get-Command apt-get -ErrorAction Ignore) }

function Test-DebianPackage([string] $Name) {
    $status = & dpkg-query --show --showformat='${Status}' $Name 2>$null
    "$status" -like '*ok installed'
}

function Install-DebianPackage([string[]] $Name) {
    Write-Host "Installing $($Name -join ', ')."
    $before = $env:DEBIAN_FRONTEND
    $env:DEBIAN_FRONTEND = 'noninteractive'
    try {
        & apt-get update --quiet=2
        & apt-get install --yes --quiet=2 --no-install-recommends @Name
        if ($LASTEXITCODE -ne 0) { throw "apt-get could not install $($Name -join ', ')." }
    }
    finally {
        $env:DEBIAN_FRONTEND = $before
    }
}

function Confirm-EngineStep([string] $Question, [bool] $Yes, [string] $Needed = 'a container engine') {
    # Nobody is there to ask, or has asked not to be.
    if ($Yes -or $env:CI -or [Console]::IsInputRedirected -or [Console]::IsOutputRedirected) { return }
    $choices = [Management.Automation.Host.ChoiceDescription[]] @('&Yes', '&No')
    if ($Host.UI.PromptForChoice('', $Question, $choices, 0) -ne 0) { throw "Nothing was changed: $Needed is needed to go on." }
}

function Get-EngineAdvice([string] $Endpoint) {
    $how = if ($IsWindows) { 'Install Docker Desktop (winget install Docker.DockerDesktop) and start it.' }
    elseif ($IsMacOS) { 'Install Docker Desktop (brew install --cask docker) or Colima (brew install colima docker; colima start).' }
    elseif (Test-Debian) { 'As root this script does it itself; by hand: sudo apt-get install --yes docker.io, and add yourself to the group docker.' }
    else { 'Install Docker Engine (https://docs.docker.com/engine/install/) or Podman with its socket (systemctl --user enable --now podman.socket, then set DOCKER_HOST).' }
    "No container engine answers at $Endpoint. $how If yours is elsewhere, set DOCKER_HOST."
}
