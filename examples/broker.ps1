# Finding and starting a RabbitMQ broker. Dot-sourced by examples and build/Test.ps1:
#   $broker = Initialize-Broker
#   try { Connect-Sisyphus -Broker $broker.Address … } finally { Stop-Broker $broker }

. (Join-Path $PSScriptRoot engine.ps1)

function Initialize-Broker {
    <#
    .SYNOPSIS
    Returns a RabbitMQ broker that answers: that of SISYPHUS_BROKER, or a private one started for the caller.
    .DESCRIPTION
    Where SISYPHUS_BROKER is no amqp or amqps address, a broker is started on 127.0.0.1 with a port, a password and a temporary folder
    of its own, beside any other broker of the machine. On Debian and Ubuntu, as root, its package is installed, after asking where a
    person is at the terminal; the package's own service is not started. Elsewhere the error says what to do. What is returned has the
    Address, with the password in it, and knows what was started: give it to Stop-Broker.
    .PARAMETER Yes
    Do not ask.
    #>
    [CmdletBinding()]
    param([switch] $Yes)

    $broker = [pscustomobject]@{ Address = $env:SISYPHUS_BROKER; Process = $null; PortMapper = $null; Folder = $null; Log = $null }
    if ("$env:SISYPHUS_BROKER" -match '^amqps?://') {
        if (Test-BrokerAddress $env:SISYPHUS_BROKER) { return $broker }
        throw "No broker answers at the address in SISYPHUS_BROKER, $(Hide-BrokerPassword $env:SISYPHUS_BROKER). Start it, correct the address, or remove the variable to have a private broker started."
    }
    if (-not $IsLinux) { throw (Get-BrokerAdvice) }
    Install-BrokerPackage -Yes:$Yes
    try { Start-PrivateBroker $broker }
    catch {
        Stop-Broker $broker
        throw
    }
    $broker
}

function Stop-Broker {
    <#
    .SYNOPSIS
    Stops what Initialize-Broker started and removes its folder, and nothing else.
    #>
    [CmdletBinding()]
    param([Parameter(Position = 0)] [AllowNull()] $Broker)

    if ($null -eq $Broker -or $null -eq $Broker.Folder) { return }
    foreach ($process in $Broker.Process, $Broker.PortMapper) {
        if ($null -eq $process -or $process.HasExited) { continue }
        # A signal, which the broker takes as an order to close its queues.
        & kill -TERM $process.Id
        if (-not $process.WaitForExit(30000)) {
            Write-Warning "Process $($process.Id) ($($process.ProcessName)) has not ended after 30 seconds and is killed."
            & kill -KILL $process.Id
            $process.WaitForExit()
        }
    }
    Write-Host 'The private broker is stopped.'
    Remove-Item -LiteralPath $Broker.Folder -Recurse -Force
    $Broker.Folder = $null
}

function Get-BrokerAddress {
    <#
    .SYNOPSIS
    The address of a broker for a fleet of its own: the names of all its queues begin with the prefix.
    #>
    [CmdletBinding()]
    param(
        [Parameter(Mandatory, Position = 0)] $Broker,
        [Parameter(Mandatory, Position = 1)] [string] $Prefix
    )

    "$($Broker.Address)$(if ($Broker.Address -match '\?') { '&' } else { '?' })prefix=$Prefix"
}

function Install-BrokerPackage {
    <#
    .SYNOPSIS
    Installs the broker's package and others where they are missing, and leaves no service of it behind.
    .PARAMETER Package
    Further Debian packages that the caller needs.
    .PARAMETER Yes
    Do not ask.
    #>
    [CmdletBinding()]
    param([string[]] $Package = @(), [switch] $Yes)

    # Somebody's own installation counts as well as the package.
    $needed = @(if (-not (Find-BrokerServer)) { 'rabbitmq-server' }) + $Package
    $missing = @(if (Test-Debian) { $needed | Where-Object { -not (Test-DebianPackage $_) } } else { $needed })
    if ($missing.Count -eq 0) { return }
    if (-not (Test-Debian)) { throw (Get-BrokerAdvice) }
    if (-not [Environment]::IsPrivilegedProcess) { throw "These packages are missing: sudo apt-get install --yes $($missing -join ' ')" }
    Confirm-EngineStep "Install $($missing -join ', ') with apt-get?" $Yes 'a RabbitMQ broker'

    # Debian asks this file whether a package may start its services: a broker that listens on all addresses is not what was asked for.
    $policy = '/usr/sbin/policy-rc.d'
    $ours = $missing -contains 'rabbitmq-server' -and -not (Test-Path -LiteralPath $policy)
    try {
        if ($ours) {
            Set-Content -LiteralPath $policy -Value "#!/bin/sh`nexit 101"
            & chmod 755 $policy
        }
        Install-DebianPackage $missing
    }
    finally {
        if ($ours) { Remove-Item -LiteralPath $policy }
    }
    if ($missing -contains 'rabbitmq-server') { Disable-BrokerService }
}

# Also where another policy let it start, and at the next boot.
function Disable-BrokerService {
    if ((Test-Path /run/systemd/system) -and (Get-Command systemctl -ErrorAction Ignore)) { & systemctl stop rabbitmq-server.service }
    # Asked only where it runs: to find out, its script would start a port mapper (epmd) that stays, on all addresses.
    elseif (Test-Path /run/rabbitmq/pid) {
        & /etc/init.d/rabbitmq-server stop *> $null
        & epmd -kill *> $null
    }
    & update-rc.d rabbitmq-server disable *> $null
    $global:LASTEXITCODE = 0
}

# Not Debian's command of that name: as root it changes to the user rabbitmq, who may not write into our folder.
function Find-BrokerServer {
    $debian = '/usr/lib/rabbitmq/bin/rabbitmq-server'
    if (Test-Path -LiteralPath $debian) { return $debian }
    $command = Get-Command rabbitmq-server -CommandType Application -ErrorAction Ignore | Select-Object -First 1
    if ($command) { $command.Source }
}

function Start-PrivateBroker($Broker) {
    $folder = [IO.Directory]::CreateTempSubdirectory('sisyphus-broker-').FullName
    $Broker.Folder = $folder
    $Broker.Log = Join-Path $folder 'output'
    $port, $nodePort, $mapperPort = Find-FreePort 3
    $password = [Convert]::ToHexString([Security.Cryptography.RandomNumberGenerator]::GetBytes(16)).ToLowerInvariant()
    $Broker.Address = "amqp://sisyphus:${password}@127.0.0.1:$port"

    Set-Content -LiteralPath "$folder/rabbitmq.conf" -Value @("listeners.tcp.1 = 127.0.0.1:$port", 'default_user = sisyphus', "default_pass = $password")
    Set-Content -LiteralPath "$folder/enabled_plugins" -Value '[].'
    Set-Content -LiteralPath "$folder/rabbitmq-env.conf" -Value ''
    # Without the name service the broker starts no resolver processes.
    Set-Content -LiteralPath "$folder/inetrc" -Value '{lookup, [file]}.', '{host, {127,0,0,1}, ["localhost"]}.'
    $cookie = Join-Path $folder '.erlang.cookie'
    Set-Content -LiteralPath $cookie -Value ([Guid]::NewGuid().ToString('n')) -NoNewline
    & chmod 400 $cookie

    $environment = @{
        HOME                                 = $folder
        ERL_INETRC                           = "$folder/inetrc"
        ERL_EPMD_PORT                        = "$mapperPort"
        ERL_EPMD_ADDRESS                     = '127.0.0.1'
        RABBITMQ_NODENAME                    = "sisyphus-$PID-$port@localhost"
        RABBITMQ_DIST_PORT                   = "$nodePort"
        RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS  = '+B i -kernel inet_dist_use_interface {127,0,0,1}'
        # The script then becomes the broker: the process that is started is the one to stop.
        RABBITMQ_ALLOW_INPUT                 = 'true'
        RABBITMQ_CONF_ENV_FILE               = "$folder/rabbitmq-env.conf"
        RABBITMQ_CONFIG_FILE                 = "$folder/rabbitmq.conf"
        RABBITMQ_ENABLED_PLUGINS_FILE        = "$folder/enabled_plugins"
        RABBITMQ_MNESIA_BASE                 = "$folder/mnesia"
        RABBITMQ_LOG_BASE                    = "$folder/log"
        RABBITMQ_GENERATED_CONFIG_DIR        = "$folder/generated"
        RABBITMQ_SCHEMA_DIR                  = "$folder/schema"
        RABBITMQ_PLUGINS_EXPAND_DIR          = "$folder/plugins-expand"
    }
    Write-Host "Starting a private broker on 127.0.0.1:$port; its folder: $folder."
    # Sessions of their own: Ctrl+C at the terminal is for the caller, who stops the broker last.
    $Broker.PortMapper = Start-Process -FilePath setsid -ArgumentList 'epmd', '-port', "$mapperPort", '-address', '127.0.0.1' -Environment $environment -RedirectStandardError "$folder/epmd.err" -RedirectStandardOutput "$folder/epmd.out" -PassThru
    $Broker.Process = Start-Process -FilePath setsid -ArgumentList (Find-BrokerServer), '-noinput' -Environment $environment -RedirectStandardError "$($Broker.Log).err" -RedirectStandardOutput $Broker.Log -PassThru
    if (-not (Wait-Broker $Broker)) {
        $tail = @($Broker.Log, "$($Broker.Log).err" | Where-Object { Test-Path -LiteralPath $_ } | ForEach-Object { Get-Content -LiteralPath $_ -Tail 10 }) -join [Environment]::NewLine
        throw "The broker does not start here. Its last words:$([Environment]::NewLine)$tail"
    }
}

function Wait-Broker($Broker) {
    $clock = [Diagnostics.Stopwatch]::StartNew()
    while ($clock.Elapsed.TotalSeconds -lt 120) {
        if (Test-BrokerAddress $Broker.Address) { return $true }
        if ($Broker.Process.HasExited) { return $false }
        Start-Sleep -Milliseconds 200
    }
    $false
}

# Whether a server answers at one of the hosts of the address; not whether it lets the user in.
function Test-BrokerAddress([string] $Address) {
    $null = $Address -match '^(?<scheme>amqps?)://(?:[^@/]*@)?(?<hosts>[^/?]*)'
    $secure = $Matches['scheme'] -eq 'amqps'
    foreach ($name in $Matches['hosts'] -split ',') {
        $uri = [uri] "tcp://$name"
        $client = [Net.Sockets.TcpClient]::new()
        try {
            if (-not $client.ConnectAsync($uri.DnsSafeHost, $(if ($uri.Port -gt 0) { $uri.Port } elseif ($secure) { 5671 } else { 5672 })).Wait(5000)) { continue }
            if ($secure) { return $true }
            $client.ReceiveTimeout = 5000
            $stream = $client.GetStream()
            # AMQP 0-9-1, 4.2.2: the protocol header, answered with a frame of type 1.
            $stream.Write([byte[]] (65, 77, 81, 80, 0, 0, 9, 1), 0, 8)
            if ($stream.ReadByte() -eq 1) { return $true }
        }
        catch {
            # Nobody there, or no broker.
            Write-Debug "$_"
        }
        finally {
            $client.Dispose()
        }
    }
    $false
}

# Below the range from which the system takes ports for outgoing connections, so that none of those is in the way a moment later.
function Find-FreePort([int] $Count) {
    $found = @()
    while ($found.Count -lt $Count) {
        $port = Get-Random -Minimum 12000 -Maximum 32000
        $listener = [Net.Sockets.TcpListener]::new([Net.IPAddress]::Loopback, $port)
        try {
            $listener.Start()
            if ($found -notcontains $port) { $found += $port }
        }
        catch { Write-Debug "Port $port is taken." }
        finally { $listener.Stop() }
    }
    $found
}

function Hide-BrokerPassword([string] $Address) { $Address -replace '^(amqps?://[^:@/]*):[^@/]*@', '$1:***@' }

function Get-BrokerAdvice {
    $how = if (Test-Debian) { 'Install the package: sudo apt-get install --yes rabbitmq-server.' }
    else { 'Install RabbitMQ (https://www.rabbitmq.com/docs/download), or run it in a container: docker run --detach --publish 127.0.0.1:5672:5672 rabbitmq.' }
    "No RabbitMQ broker can be started here. $how If one runs already, set SISYPHUS_BROKER to its address, such as amqp://guest:guest@localhost."
}
