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
