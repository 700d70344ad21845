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

    It 'runs what one pipeline imports, sends and waits for' {
        $null = New-Item -ItemType Directory "$TestDrive/readme" -Force
        1..3 | ForEach-Object { New-ShellTask "echo $_" | Export-SisyphusTask -Path "$TestDrive/readme/$_.json" -Force }
        $job = Start-SisyphusNode -Concurrency 2 -MaxTasks 3 -AsJob
        try {
            $ended = @(Import-SisyphusTask "$TestDrive/readme/*.json" | Send-SisyphusTask -PassThru | Wait-SisyphusTask -Timeout 1m)
            $ended.State | Should -Be 'Complete', 'Complete', 'Complete'
        }
        finally {
            Stop-Job $job
            Remove-Job $job
        }
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

    It 'shows what a running task writes, on request' {
        $sent = New-ShellTask 'sleep 2; echo one; echo two >&2; sleep 1; printf "  three"' | Send-SisyphusTask -PassThru
        $job = Start-SisyphusNode -Name n20 -AsJob -MaxTasks 1
        try {
            $lines = @($sent | Watch-SisyphusTask -Output)
            @($lines | ForEach-Object { "$($_.Stream):$($_.Line)" } | Sort-Object) -join '|' | Should -Be 'stderr:two|stdout:  three|stdout:one'
            @($lines | Where-Object { $_.TaskId -ne $sent.Id -or $_.Dropped }).Count | Should -Be 0
            $lines[0].PSTypeNames[0] | Should -Be 'Sisyphus.PowerShell.Running.TaskOutputLine'
            ($lines | Where-Object Stream -eq stdout | Out-String) -replace "`r" | Should -Match "Task: $($sent.Id)\s+one\n  three\n"
            (Get-SisyphusTask $sent.Id).State | Should -Be 'Complete'
        }
        finally {
            Stop-Job $job
            Remove-Job $job
        }
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

    It 'is a job like others' {
        New-ShellTask 'sleep 1; echo done' | Send-SisyphusTask
        $job = Start-SisyphusNode -Name n6 -AsJob -MaxTasks 1
        try {
            $job -is [System.Management.Automation.Job] | Should -Be $true
            @(Get-Job).InstanceId | Should -Contain $job.InstanceId
            (Get-Job -Name n6).Id | Should -Be $job.Id
            $job.Location | Should -Be ([Environment]::MachineName)
            $job.State | Should -Be 'Running'
            (Wait-Job $job -Timeout 60).Id | Should -Be $job.Id
            $job.HasMoreData | Should -Be $true
            @($job.Verbose | Where-Object Message -match 'Running, attempt 1').Count | Should -Be 1
            $result = Receive-Job $job
            $result.State | Should -Be 'Complete'
            $result.StandardOutput | Should -Match 'done'
            $job.State | Should -Be 'Completed'
            $job.HasMoreData | Should -Be $false
            $job.StatusMessage | Should -Be 'Left'
        }
        finally {
            Stop-Job $job
            Remove-Job $job
        }
        @(Get-Job | Where-Object InstanceId -eq $job.InstanceId).Count | Should -Be 0
    }

    It 'fails as a job where it can not join' {
        $path = "$TestDrive/diary-$([guid]::NewGuid())"
        Set-Content -LiteralPath $path -Value ('Dear diary, ' * 100)
        $job = Start-SisyphusNode -AsJob -Broker "sqlite:$path"
        try {
            $null = Wait-Job $job -Timeout 30
            $job.State | Should -Be 'Failed'
            $job.Error[0].FullyQualifiedErrorId | Should -Match '^Sisyphus\.QueueNotAQueue'
        }
        finally {
            Remove-Job $job
        }
    }

    It 'is seen while it works' {
        $sent = New-ShellTask 'sleep 60' | Send-SisyphusTask -PassThru
        $job = Start-SisyphusNode -Name n7 -AsJob
        try {
            Watch-SisyphusTask $sent.Id | Where-Object State -eq Running | Select-Object -First 1 | Out-Null
            @(Get-SisyphusTask -State Running -Node n7).Id | Should -Be $sent.Id
            (Get-SisyphusNode n*).Name | Should -Be 'n7'
            (Get-SisyphusNode | Out-String) | Should -Match 'Slots[^\0]+n7'
            [System.Management.Automation.CommandCompletion]::CompleteInput('Stop-SisyphusNode ', 18, $null).CompletionMatches.CompletionText | Should -Be 'n7'
            Get-SisyphusNode n7 | Stop-SisyphusNode -Force
            $null = Wait-Job $job -Timeout 30
            $job.State | Should -Be 'Completed'
            (Get-SisyphusTask $sent.Id).State | Should -Be 'Queued'
        }
        finally {
            Stop-Job $job
            Remove-Job $job
        }
    }

    It 'drains at the first signal' -Skip:$IsWindows {
        $sent = 1..2 | ForEach-Object { New-ShellTask 'sleep 3' } | Send-SisyphusTask -PassThru
        $process = Start-TestHost 'Start-SisyphusNode -Name n8'
        try {
            Watch-SisyphusTask $sent[0].Id | Where-Object State -eq Running | Select-Object -First 1 | Out-Null
            & kill -TERM $process.Id
            $process.WaitForExit(30000) | Should -Be $true
            $process.ExitCode | Should -Be 143
            (Get-SisyphusTask $sent.Id).State | Should -Be 'Complete', 'Queued'
        }
        finally {
            if (-not $process.HasExited) { $process.Kill() }
        }
    }

    It 'abandons at the second signal' -Skip:$IsWindows {
        $sent = New-ShellTask 'sleep 60' | Send-SisyphusTask -PassThru
        $process = Start-TestHost 'Start-SisyphusNode -Name n9'
        try {
            Watch-SisyphusTask $sent.Id | Where-Object State -eq Running | Select-Object -First 1 | Out-Null
            & kill -TERM $process.Id
            Watch-SisyphusTask -Replay | Where-Object Kind -eq NodeDraining | Select-Object -First 1 | Out-Null
            & kill -TERM $process.Id
            $process.WaitForExit(30000) | Should -Be $true
            $process.ExitCode | Should -Be 143
            $task = Get-SisyphusTask $sent.Id
            "$($task.State) $($task.Attempts) $($task.Losses)" | Should -Be 'Queued 0 0'
            @(& docker ps --all --quiet --filter "label=sisyphus.task=$($sent.Id)").Count | Should -Be 0
        }
        finally {
            if (-not $process.HasExited) { $process.Kill() }
        }
    }

    It 'does not outlive its process as a job' {
        $sent = New-ShellTask 'sleep 60' | Send-SisyphusTask -PassThru
        $process = Start-TestHost "`$null = Start-SisyphusNode -Name n10 -AsJob; Watch-SisyphusTask $($sent.Id) | Where-Object State -eq Running | Select-Object -First 1"
        try {
            $process.WaitForExit(60000) | Should -Be $true
            (Get-SisyphusTask $sent.Id).State | Should -Be 'Queued'
            @(& docker ps --all --quiet --filter "label=sisyphus.task=$($sent.Id)").Count | Should -Be 0
        }
        finally {
            if (-not $process.HasExited) { $process.Kill() }
        }
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
