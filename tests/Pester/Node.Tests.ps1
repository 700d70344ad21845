BeforeDiscovery {
    . "$PSScriptRoot/common.ps1"
    $image = New-TestImage
}

Describe 'A node' -Tag Docker -Skip:(-not $image) {
    BeforeAll {
        . "$PSScriptRoot/common.ps1"
        $image = New-TestImage

        function New-ShellTask([string] $Script, [string] $Output) {
            $outputs = if ($Output) { @{ $Output = '>' } } else { @{} }
            New-SisyphusTask -Image $image -Command sh, -c, $Script -Output $outputs
        }
    }

    BeforeEach {
        Use-TestUser "$TestDrive/$([guid]::NewGuid())"
    }

    AfterAll {
        Connect-Sisyphus
    }

    It 'runs what documents say, and Wait-SisyphusTask sees the end' {
        $null = New-Item -ItemType Directory "$TestDrive/tasks" -Force
        1..3 | ForEach-Object { New-ShellTask "echo $_" "demo:out/$_" | Export-SisyphusTask -Path "$TestDrive/tasks/$_.json" -Force }
        $sent = Import-SisyphusTask "$TestDrive/tasks/*.json" | Send-SisyphusTask -PassThru
        $results = @(Start-SisyphusNode -Name n1 -Concurrency 2 -IdleTimeout 1s)
        $results.Count | Should -Be 3
        @($results | Where-Object State -eq Complete).Count | Should -Be 3
        $ended = @($sent | Wait-SisyphusTask -Timeout 1m)
        @($ended | Where-Object { $_.State -eq 'Complete' -and $_.Node -eq 'n1' }).Count | Should -Be 3
        @(Get-SisyphusObject demo:out/).Count | Should -Be 3
        (Get-SisyphusNode n1).State | Should -Be 'Left'
        (Get-SisyphusQueue).Ended | Should -Be 3
    }

    It 'ends after -MaxTasks' {
        1..3 | ForEach-Object { New-ShellTask 'true' } | Send-SisyphusTask
        @(Start-SisyphusNode -MaxTasks 2).Count | Should -Be 2
        (Get-SisyphusQueue).Ready | Should -Be 1
    }

    It 'emits a failed task as a result, without an error; it is a dead letter that can be resumed' {
        $sent = New-ShellTask 'echo why >&2; exit 7' | Send-SisyphusTask -PassThru
        $written = @(Start-SisyphusNode -MaxTasks 1 2>&1)
        $written.Count | Should -Be 1
        $written[0].State | Should -Be 'ExecutorError'
        $letter = Get-SisyphusDeadLetter $sent.Id
        $letter.Reason | Should -Be 'ExecutorExit'
        $letter.LogTail | Should -Match 'why'
        @($letter.Attempts).Count | Should -Be 1
        ($letter | Resume-SisyphusTask -PassThru).State | Should -Be 'Queued'
        @(Get-SisyphusDeadLetter).Count | Should -Be 0
    }

    It 'cancels a running task within seconds' {
        $sent = New-ShellTask 'sleep 60' 'demo:never' | Send-SisyphusTask -PassThru
        $job = Start-SisyphusNode -Name n2 -AsJob -MaxTasks 1
        try {
            Watch-SisyphusTask $sent.Id | Where-Object State -eq Running | Select-Object -First 1 | Out-Null
            $sent | Stop-SisyphusTask
            ($sent | Wait-SisyphusTask -Timeout 20s).State | Should -Be 'Canceled'
            $null = Wait-Job $job -Timeout 20
            (Receive-Job $job).State | Should -Be 'Canceled'
            $job.State | Should -Be 'Completed'
            @(Get-SisyphusObject demo: -ErrorAction Ignore).Count | Should -Be 0
        }
        finally {
            Stop-Job $job
            Remove-Job $job
        }
    }

    It 'drains by Stop-SisyphusNode' {
        $sent = 1..2 | ForEach-Object { New-ShellTask 'sleep 2' } | Send-SisyphusTask -PassThru
        $job = Start-SisyphusNode -Name n3 -AsJob
        try {
            Watch-SisyphusTask $sent[0].Id | Where-Object State -eq Running | Select-Object -First 1 | Out-Null
            Stop-SisyphusNode n3
            $null = Wait-Job $job -Timeout 30
            @(Receive-Job $job).Count | Should -Be 1
            (Get-SisyphusQueue).Ready | Should -Be 1
        }
        finally {
            Stop-Job $job
            Remove-Job $job
        }
    }

    It 'abandons by Stop-Job: the task is back on the queue, uncharged' {
        $sent = New-ShellTask 'sleep 60' | Send-SisyphusTask -PassThru
        $job = Start-SisyphusNode -Name n4 -AsJob
        Watch-SisyphusTask $sent.Id | Where-Object State -eq Running | Select-Object -First 1 | Out-Null
        Stop-Job $job
        $job.State | Should -Be 'Stopped'
        Remove-Job $job
        $task = Get-SisyphusTask $sent.Id
        "$($task.State) $($task.Attempts) $($task.Losses)" | Should -Be 'Queued 0 0'
    }

    It 'refuses the name of a living node' {
        $job = Start-SisyphusNode -Name n5 -AsJob
        try {
            while (-not (Get-SisyphusNode | Where-Object Name -eq n5)) { Start-Sleep -Milliseconds 50 }
            $error = Get-ErrorOf { Start-SisyphusNode -Name n5 -IdleTimeout 0s }
            $error.FullyQualifiedErrorId | Should -Match '^Sisyphus\.QueueNodeNameTaken,'
            $error.CategoryInfo.Category | Should -Be 'ResourceExists'
        }
        finally {
            Stop-Job $job
            Remove-Job $job
        }
    }

    It 'loses nothing when it is killed: the scatter of the examples' {
        $said = & "$PSScriptRoot/../../examples/scatter.ps1" -Count 20 6>&1 | Out-String
        $said | Should -Match 'All 20 are published, each once\.'
    }

    It 'stops its containers when the pipeline ends early' {
        1..3 | ForEach-Object { New-ShellTask "sleep 0.$_" } | Send-SisyphusTask
        @(Start-SisyphusNode | Select-Object -First 1).Count | Should -Be 1
        $queue = Get-SisyphusQueue
        $queue.Leased | Should -Be 0
        $queue.Ready + $queue.Ended | Should -Be 3
    }
}
