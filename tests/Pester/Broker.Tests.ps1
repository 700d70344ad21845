BeforeDiscovery {
    . "$PSScriptRoot/common.ps1"
    $image = New-TestImage
    # Elsewhere none can be started.
    $canHaveBroker = $IsLinux -or "$env:SISYPHUS_BROKER" -match '^amqps?:'
}

# A broker of its own, by the script that the examples use too.
Describe 'The queue on a RabbitMQ broker' -Tag Docker -Skip:(-not $image -or -not $canHaveBroker) {
    BeforeAll {
        . "$PSScriptRoot/common.ps1"
        . "$PSScriptRoot/../../examples/broker.ps1"
        $image = New-TestImage
        $broker = Initialize-Broker -Yes
        $address = [uri] $broker.Address
        $user, $password = $address.UserInfo -split ':', 2
        $bare = "amqp://$($address.Authority)"

        # What an administrator does to a broker that is ours alone.
        function Start-Control([string[]] $Arguments, [int] $After) {
            $command = [Diagnostics.ProcessStartInfo]::new('/bin/sh')
            $mapper = [IO.File]::ReadAllText("/proc/$($broker.PortMapper.Id)/cmdline") -split "`0"
            $command.Environment['HOME'] = $broker.Folder
            $command.Environment['ERL_INETRC'] = "$($broker.Folder)/inetrc"
            $command.Environment['ERL_EPMD_PORT'] = $mapper[$mapper.IndexOf('-port') + 1]
            $command.Environment['RABBITMQ_CONF_ENV_FILE'] = "$($broker.Folder)/rabbitmq-env.conf"
            $control = Join-Path (Split-Path (Find-BrokerServer)) 'rabbitmqctl'
            foreach ($argument in @('-c', 'sleep "$0"; exec "$@"', "$After", $control, '--quiet', '--node', "sisyphus-$PID-$($address.Port)@localhost") + $Arguments) { $command.ArgumentList.Add($argument) }
            [Diagnostics.Process]::Start($command)
        }

        function Invoke-Control([string[]] $Arguments) {
            $process = Start-Control $Arguments
            $process.WaitForExit()
            $process.ExitCode | Should -Be 0
        }

        function Set-MemoryAlarm([switch] $Off) {
            if ($Off) { Invoke-Control 'set_vm_memory_high_watermark', '0.6' } else { Invoke-Control 'set_vm_memory_high_watermark', 'absolute', '1000000' }
        }

        function New-Credential([string] $User, [string] $Password) {
            $secret = [securestring]::new()
            $Password.ToCharArray() | ForEach-Object { $secret.AppendChar($_) }
            [pscredential]::new($User, $secret)
        }
    }

    AfterAll {
        Use-TestUser $TestDrive
        Stop-Broker $broker
    }

    BeforeEach {
        Use-TestUser "$TestDrive/$([guid]::NewGuid())"
        # A fleet of its own for each test.
        $prefix = "t$([guid]::NewGuid().ToString('n').Substring(0, 8))"
        Connect-Sisyphus -Broker "$($bare)?prefix=$prefix" -Credential (New-Credential $user $password)
    }

    It 'carries a task from Send- to Wait-SisyphusTask, and tells of it' {
        $sent = 1..3 | ForEach-Object { New-SisyphusTask -Image $image -Command sh, -c, "echo $_" -Output @{ "demo:out/$_" = '>' } } | Send-SisyphusTask -PassThru
        $queue = Get-SisyphusQueue
        $queue.Ready | Should -Be 3
        $queue.Kind | Should -Match '^RabbitMQ \d+\.\d+.*(quorum|classic)'
        $queue.Address | Should -Not -Match ([regex]::Escape($password))
        @(Start-SisyphusNode -Name n1 -Concurrency 2 -IdleTimeout 2s).State | Should -Be 'Complete', 'Complete', 'Complete'
        $ended = @($sent | Wait-SisyphusTask -Timeout 1m)
        @($ended | Where-Object { $_.State -eq 'Complete' -and $_.Node -eq 'n1' }).Count | Should -Be 3
        @(Get-SisyphusObject demo:out/).Count | Should -Be 3
        (Get-SisyphusNode n1).State | Should -Be 'Left'
        @(Watch-SisyphusTask $sent[0].Id).Kind | Select-Object -Last 1 | Should -Be 'TaskEnded'
    }

    It 'tells a node''s operator which kinds of queue the broker allowed' {
        $lines = Start-SisyphusNode -Name n1 -IdleTimeout 1s -Verbose 4>&1 | ForEach-Object { "$_" }
        "$lines" | Should -Match 'Joined amqp://.*RabbitMQ .* queues, events on a stream'
    }

    It 'keeps what failed, and runs it again' {
        $sent = New-SisyphusTask -Image $image -Command sh, -c, 'echo why >&2; exit 7' | Send-SisyphusTask -PassThru
        $null = Start-SisyphusNode -Name n1 -MaxTasks 1
        $letter = Get-SisyphusDeadLetter
        $letter.Id | Should -Be $sent.Id
        $letter.Reason | Should -Be 'ExecutorExit'
        $letter.LogTail | Should -Match 'why'
        (Resume-SisyphusTask $sent.Id -PassThru).State | Should -Be 'Queued'
        @(Get-SisyphusDeadLetter).Count | Should -Be 0
    }

    It 'puts dead letters that are piped back as fast as those that are named' {
        1..150 | ForEach-Object { New-SisyphusTask -Image $image -Command 'true' -User root -Id "denied-$_" } | Send-SisyphusTask
        $clock = [Diagnostics.Stopwatch]::new()
        $took = foreach ($put in { Resume-SisyphusTask @(1..150 | ForEach-Object { "denied-$_" }) -PassThru }, { Get-SisyphusDeadLetter | Resume-SisyphusTask -PassThru }) {
            Start-SisyphusNode -Name n1 -IdleTimeout 2s -ErrorAction Ignore | Out-Null
            (Get-SisyphusQueue).DeadLetters | Should -Be 150
            $clock.Restart()
            @(& $put).Count | Should -Be 150
            $clock.Elapsed.TotalSeconds
        }
        $took[1] | Should -BeLessThan (3 * $took[0] + 2)
        @(Get-SisyphusTask -State SystemError | Get-SisyphusDeadLetter).Count | Should -Be 0
    }

    It 'forgets no cancel' {
        $sent = New-SisyphusTask -Image $image -Command 'true' | Send-SisyphusTask -PassThru
        (Stop-SisyphusTask $sent.Id -PassThru).State | Should -Be 'Canceled'
        @(Start-SisyphusNode -Name n1 -IdleTimeout 2s).Count | Should -Be 0
        (Get-ErrorOf { Stop-SisyphusTask $sent.Id }).FullyQualifiedErrorId | Should -Match '^Sisyphus\.TaskEnded,'
    }

    It 'stops a node from elsewhere' {
        $job = Start-SisyphusNode -Name n1 -AsJob
        try {
            $until = [datetime]::UtcNow.AddSeconds(20)
            while (-not (Get-SisyphusNode -ErrorAction Ignore) -and [datetime]::UtcNow -lt $until) { [Threading.Thread]::Sleep(100) }
            Stop-SisyphusNode n1
            ($job | Wait-Job -Timeout 20).State | Should -Be 'Completed'
        }
        finally {
            Remove-Job $job -Force
        }
    }

    It 'warns once while the broker takes nothing, ends at once when it is stopped, and says of what nobody confirmed that nobody knows' -Skip:("$env:SISYPHUS_BROKER" -match '^amqps?:') {
        New-SisyphusTask -Image $image -Command 'true' -Id before | Send-SisyphusTask
        # Not the default session: that needs the console host's assembly, which a host without pwsh has not.
        $shell = [powershell]::Create([System.Management.Automation.Runspaces.InitialSessionState]::CreateDefault2())
        Set-MemoryAlarm
        try {
            $null = $shell.AddScript({
                    param($Manifest, $Broker, $Credential, $Image)
                    Import-Module $Manifest
                    Connect-Sisyphus -Broker $Broker -Credential $Credential
                    1..3 | ForEach-Object { New-SisyphusTask -Image $Image -Command 'true' -Id "stopped-$_" } | Send-SisyphusTask
                }).AddArgument("$((Get-Module Sisyphus).ModuleBase)/Sisyphus.psd1").AddArgument("$($bare)?prefix=$prefix").AddArgument((New-Credential $user $password)).AddArgument($image)
            $running = $shell.BeginInvoke()
            $clock = [Diagnostics.Stopwatch]::StartNew()
            while ($shell.Streams.Warning.Count -eq 0 -and $clock.Elapsed.TotalSeconds -lt 30) { [Threading.Thread]::Sleep(100) }
            # Time for a second warning, if there were one.
            [Threading.Thread]::Sleep(5000)
            $shell.Streams.Warning.Count | Should -Be 1
            "$($shell.Streams.Warning)" | Should -Match 'takes nothing for now: low on memory'
            $running.IsCompleted | Should -Be $false
            $clock.Restart()
            $shell.Stop()
            $clock.Elapsed.TotalSeconds | Should -BeLessThan 5
            $shell.InvocationStateInfo.State | Should -Be 'Stopped'

            $failure = Get-ErrorOf { New-SisyphusTask -Image $image -Command 'true' -Id unknown | Send-SisyphusTask -WarningAction Ignore }
            $failure.FullyQualifiedErrorId | Should -Match '^Sisyphus\.TaskUnconfirmed,'
            $failure.CategoryInfo.Category | Should -Be 'OperationTimeout'
            $failure.TargetObject.Id | Should -Be 'unknown'
        }
        finally {
            $shell.Dispose()
            Set-MemoryAlarm -Off
        }
        # Sending again is safe, whatever became of the first.
        New-SisyphusTask -Image $image -Command 'true' -Id unknown | Send-SisyphusTask -ErrorAction Ignore
        $ended = @(Start-SisyphusNode -Name n1 -Concurrency 2 -IdleTimeout 2s).Id
        @($ended | Where-Object { $_ -in 'before', 'unknown' } | Sort-Object) -join ' ' | Should -Be 'before unknown'
        @($ended | Group-Object | Where-Object Count -GT 1).Count | Should -Be 0
    }

    It 'warns a waiter once that the broker is gone, and once that it is back' -Skip:("$env:SISYPHUS_BROKER" -match '^amqps?:') {
        New-SisyphusTask -Image $image -Command 'true' -Id waits | Send-SisyphusTask
        $shell = [powershell]::Create([System.Management.Automation.Runspaces.InitialSessionState]::CreateDefault2())
        try {
            $null = $shell.AddScript({
                    param($Manifest, $Broker, $Credential)
                    Import-Module $Manifest
                    Connect-Sisyphus -Broker $Broker -Credential $Credential
                    Wait-SisyphusTask waits -Timeout 3m
                }).AddArgument("$((Get-Module Sisyphus).ModuleBase)/Sisyphus.psd1").AddArgument("$($bare)?prefix=$prefix").AddArgument((New-Credential $user $password))
            $running = $shell.BeginInvoke()
            $clock = [Diagnostics.Stopwatch]::StartNew()
            while ($shell.Streams.Progress.Count -eq 0 -and $clock.Elapsed.TotalSeconds -lt 30) { [Threading.Thread]::Sleep(100) }
            Invoke-Control 'stop_app'
            $clock.Restart()
            while ($shell.Streams.Warning.Count -eq 0 -and $clock.Elapsed.TotalSeconds -lt 30) { [Threading.Thread]::Sleep(100) }
            # Time for a second warning of the same, if there were one.
            [Threading.Thread]::Sleep(5000)
            $shell.Streams.Warning.Count | Should -Be 1
            "$($shell.Streams.Warning)" | Should -Match 'this goes on when it is back'
            "$($shell.Streams.Warning)" | Should -Not -Match ([regex]::Escape($password))
            Invoke-Control 'start_app'
            $clock.Restart()
            while ($shell.Streams.Warning.Count -lt 2 -and $clock.Elapsed.TotalSeconds -lt 60) { [Threading.Thread]::Sleep(100) }
            "$($shell.Streams.Warning[1])" | Should -Match '^The queue amqp:.* is back\.$'
            $running.IsCompleted | Should -Be $false
            Stop-SisyphusTask waits
            $shell.EndInvoke($running).State | Should -Be 'Canceled'
            $shell.Streams.Warning.Count | Should -Be 2
        }
        finally {
            $shell.Stop()
            $shell.Dispose()
        }
    }

    It 'goes on watching when the broker is gone in the very moment in which a task has ended' -Skip:("$env:SISYPHUS_BROKER" -match '^amqps?:') {
        'first', 'second' | ForEach-Object { New-SisyphusTask -Image $image -Command 'true' -Id $_ } | Send-SisyphusTask
        $seen = [Collections.Generic.List[string]]::new()
        $back = $null
        try {
            Watch-SisyphusTask first, second -WarningAction Ignore | ForEach-Object {
                $seen.Add("$($_.TaskId) $($_.Kind)")
                if ($seen.Count -eq 1) { Stop-SisyphusTask first }
                if (-not $back -and $_.Kind -eq 'TaskEnded') {
                    Stop-SisyphusTask second
                    Invoke-Control 'stop_app'
                    $back = Start-Control 'start_app' -After 3
                }
            }
        }
        finally {
            if ($back) { $back.WaitForExit() }
        }
        @($seen -match 'TaskEnded' | Sort-Object) -join ', ' | Should -Be 'first TaskEnded, second TaskEnded'
    }

    It 'uses the session''s credential for its broker, and for no other' {
        (Get-SisyphusQueue).Ready | Should -Be 0
        $failure = Get-ErrorOf { Get-SisyphusQueue -Broker "$($bare)/%2f?prefix=other" }
        $failure.FullyQualifiedErrorId | Should -Match '^Sisyphus\.QueueDenied,'
        $failure.CategoryInfo.Category | Should -Be 'PermissionDenied'
    }

    It 'refuses a wrong password with one error, without it' {
        $failure = Get-ErrorOf { Get-SisyphusQueue -Broker $bare -Credential (New-Credential $user 'wr0ng') }
        $failure.FullyQualifiedErrorId | Should -Match '^Sisyphus\.QueueDenied,'
        "$failure" | Should -Match $user
        "$failure $($failure.Exception)" | Should -Not -Match 'wr0ng'
    }

    It 'says within its time limit that nobody is there' {
        $failure = Get-ErrorOf { New-SisyphusTask -Image x -Command 'true' | Send-SisyphusTask -Broker 'amqp://127.0.0.1:1?connect_timeout=3s' }
        $failure.FullyQualifiedErrorId | Should -Match '^Sisyphus\.QueueUnavailable,'
        $failure.CategoryInfo.Category | Should -Be 'ResourceUnavailable'
    }
}
