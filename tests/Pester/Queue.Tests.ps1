BeforeAll {
    . "$PSScriptRoot/common.ps1"

    function New-Task {
        param([string] $Name = 'a', [string] $Id)

        New-SisyphusTask -Image tools:1 -Command 'true' -Name $Name | ForEach-Object {
            if ($Id) { $_ | ConvertTo-TaskWithId $Id } else { $_ }
        }
    }

    filter ConvertTo-TaskWithId([string] $Id) {
        @{ id = $Id; image = $_.Image; name = $_.Name; commands = @(@{ command = @('true') }) }
    }
}

Describe 'The queue' {
    BeforeEach {
        Use-TestUser "$TestDrive/$([guid]::NewGuid())"
    }

    AfterAll {
        Connect-Sisyphus
    }

    It 'is empty at first' {
        $queue = Get-SisyphusQueue
        $queue.Ready + $queue.Delayed + $queue.Leased + $queue.DeadLetters + $queue.Ended | Should -Be 0
        $queue.Address | Should -Be (Get-SisyphusContext Broker).Value
        @(Get-SisyphusTask).Count | Should -Be 0
        @(Get-SisyphusNode).Count | Should -Be 0
        @(Get-SisyphusDeadLetter).Count | Should -Be 0
    }

    It 'gives an id to a task that has none, and keeps one that it has' {
        $sent = New-Task | Send-SisyphusTask -PassThru
        $sent.Id | Should -Match '^[0-9a-f-]{36}$'
        $sent.State | Should -Be 'Queued'
        (New-Task -Id 'mine.1' | Send-SisyphusTask -PassThru).Id | Should -Be 'mine.1'
        (Get-SisyphusQueue).Ready | Should -Be 2
    }

    It 'writes nothing without -PassThru and sends nothing with -WhatIf' {
        New-Task | Send-SisyphusTask | Should -Be $null
        New-Task | Send-SisyphusTask -WhatIf
        (Get-SisyphusQueue).Ready | Should -Be 1
    }

    It 'keeps the order of sending, and what -Workflow and -Priority say' {
        $sent = 1..3 | ForEach-Object { New-Task -Name "t$_" } | Send-SisyphusTask -Workflow w1 -Priority 9 -PassThru
        @(Get-SisyphusTask).Name -join ' ' | Should -Be 't1 t2 t3'
        @(Get-SisyphusTask -Workflow w1).Count | Should -Be 3
        @(Get-SisyphusTask -Workflow w2).Count | Should -Be 0
        $sent[0].Priority | Should -Be 9
        @(Get-SisyphusTask -Last 2).Name -join ' ' | Should -Be 't2 t3'
    }

    It 'reports an id that was sent before, and changes nothing' {
        New-Task -Id same -Name first | Send-SisyphusTask
        $error = Get-ErrorOf { New-Task -Id same -Name second | Send-SisyphusTask }
        $error.FullyQualifiedErrorId | Should -Match '^Sisyphus\.TaskExists,'
        $error.CategoryInfo.Category | Should -Be 'ResourceExists'
        $error.TargetObject.Id | Should -Be 'same'
        (Get-SisyphusTask same).Name | Should -Be 'first'
    }

    It 'reports an id that is twice in one pipeline' {
        $errors = @(@(New-Task -Id same), @(New-Task -Id same) | ForEach-Object { $_ } | Send-SisyphusTask 2>&1)
        $errors.Count | Should -Be 1
        (Get-SisyphusQueue).Ready | Should -Be 1
    }

    It 'sends nothing of a bad document and tells every error' {
        $error = Get-ErrorOf { Send-SisyphusTask '[{"image": "a", "commands": [{"command": ["x"]}]}, {"image": "", "comands": []}]' }
        $error.FullyQualifiedErrorId | Should -Match '^Sisyphus\.InvalidDocument,'
        $error.Exception.Errors.Count | Should -BeGreaterThan 1
        (Get-SisyphusQueue).Ready | Should -Be 0
    }

    It 'goes on after a bad document' {
        $written = @('nonsense', (New-Task) | Send-SisyphusTask -PassThru 2>&1)
        $written.Count | Should -Be 2
        (Get-SisyphusQueue).Ready | Should -Be 1
    }

    It 'takes 100,000 documents in one pipeline, in constant memory' {
        $template = New-Task
        $seen = @{ Sent = 0; Early = 0; Most = 0 }
        1..100000 | ForEach-Object { $template } | Send-SisyphusTask -PassThru | ForEach-Object {
            $seen.Sent++
            if ($seen.Sent % 5000 -eq 0) {
                $alive = [GC]::GetTotalMemory($true) / 1MB
                if ($seen.Sent -eq 5000) { $seen.Early = $alive }
                $seen.Most = [Math]::Max($seen.Most, $alive)
            }
        }
        $seen.Sent | Should -Be 100000
        # Each of them kept would be a kilobyte or two.
        $seen.Most - $seen.Early | Should -BeLessThan 20
        (Get-SisyphusQueue).Ready | Should -Be 100000
    }

    It 'refuses a document that is too large, and takes the others' {
        $errors = @('[{"image": "a", "command": ["x"]}, {"image": "a", "command": ["' + 'x' * 1MB + '"]}, {"image": "a", "command": ["x"]}]' | Send-SisyphusTask 2>&1)
        $errors.Count | Should -Be 1
        $errors[0].FullyQualifiedErrorId | Should -Match '^Sisyphus\.(TaskRefused|InvalidDocument),'
        $errors[0].CategoryInfo.Category | Should -Be 'InvalidData'
        # What the queue refuses leaves the others be; what is no document takes all of its input along.
        (Get-SisyphusQueue).Ready | Should -Be $(if ($errors[0].FullyQualifiedErrorId -match 'TaskRefused') { 2 } else { 0 })
    }

    It 'chooses by state, and does not miss an id that is in another' {
        $sent = 1..3 | ForEach-Object { New-Task } | Send-SisyphusTask -PassThru
        Stop-SisyphusTask $sent[1].Id
        @(Get-SisyphusTask -State Queued).Count | Should -Be 2
        @(Get-SisyphusTask $sent.Id -State Canceled 2>&1).Id | Should -Be $sent[1].Id
        $sent.Id | Get-SisyphusTask | ForEach-Object State | Should -Be 'Queued', 'Canceled', 'Queued'
    }

    It 'cancels what waits' {
        $sent = 1..3 | ForEach-Object { New-Task } | Send-SisyphusTask -PassThru
        $canceled = @($sent | Stop-SisyphusTask -PassThru)
        @($canceled | Where-Object State -eq Canceled).Count | Should -Be 3
        (Get-SisyphusQueue).Ready | Should -Be 0
        @($sent | Wait-SisyphusTask -Timeout 5s).Count | Should -Be 3
    }

    It 'refuses to cancel what has ended' {
        $sent = New-Task | Send-SisyphusTask -PassThru
        $sent | Stop-SisyphusTask
        $error = Get-ErrorOf { $sent | Stop-SisyphusTask }
        $error.FullyQualifiedErrorId | Should -Match '^Sisyphus\.TaskEnded,'
        $error.CategoryInfo.Category | Should -Be 'InvalidOperation'
    }

    It 'ends a wait at its time limit with an error for each task' {
        $sent = 1..2 | ForEach-Object { New-Task } | Send-SisyphusTask -PassThru
        $errors = @($sent | Wait-SisyphusTask -Timeout 300ms 2>&1)
        $errors.Count | Should -Be 2
        $errors[0].FullyQualifiedErrorId | Should -Match '^Sisyphus\.WaitTimeout,'
        $errors[0].CategoryInfo.Category | Should -Be 'OperationTimeout'
        (Get-SisyphusQueue).Ready | Should -Be 2
    }

    It 'looks once, however little time there is, and says what is unknown and what goes on' {
        $sent = 1..2 | ForEach-Object { New-Task } | Send-SisyphusTask -PassThru
        Stop-SisyphusTask $sent[0].Id
        $written = @($sent[0].Id, 'nobody', $sent[1].Id | Wait-SisyphusTask -Timeout 0s 2>&1)
        $written.Count | Should -Be 3
        @($written | Where-Object State).Id | Should -Be $sent[0].Id
        $errors = @($written | Where-Object { -not $_.State })
        $errors[0].FullyQualifiedErrorId | Should -Match '^Sisyphus\.TaskNotFound,'
        $errors[1].FullyQualifiedErrorId | Should -Match '^Sisyphus\.WaitTimeout,'
        $errors[1].TargetObject | Should -Be $sent[1].Id
    }

    It 'sees an end that comes while it waits, in another process' {
        $sent = New-Task | Send-SisyphusTask -PassThru
        $process = Start-TestHost "Start-Sleep 1; Stop-SisyphusTask $($sent.Id)"
        try {
            ($sent | Wait-SisyphusTask -Timeout 1m).State | Should -Be 'Canceled'
            @(Watch-SisyphusTask $sent.Id)[-1].Kind | Should -Be 'TaskEnded'
        }
        finally {
            $null = $process.WaitForExit(60000)
        }
    }

    It 'shows live what happens, until nobody wants more' {
        $process = Start-TestHost 'Start-Sleep 1; New-SisyphusTask -Image a -Command x -Name late | Send-SisyphusTask'
        try {
            (Watch-SisyphusTask | Select-Object -First 1).TaskName | Should -Be 'late'
        }
        finally {
            $null = $process.WaitForExit(60000)
        }
    }

    It 'is shown as tables' {
        New-Task -Name somebody | Send-SisyphusTask
        (Get-SisyphusTask | Out-String) | Should -Match 'Task +State +Reason[^\0]+somebody +Queued'
        (Watch-SisyphusTask -Replay | Select-Object -First 1 | Out-String) | Should -Match 'Event[^\0]+TaskSent +somebody'
        (Get-SisyphusQueue | Out-String) | Should -Match 'Ready +: 1'
    }

    It 'offers ids at the keyboard, and makes no queue for that' {
        function Complete([string] $Line) { @([System.Management.Automation.CommandCompletion]::CompleteInput($Line, $Line.Length, $null).CompletionMatches.CompletionText) }
        Complete 'Get-SisyphusTask -Id no-such-' | Should -Be $null
        Test-Path "$env:XDG_DATA_HOME/sisyphus/queue.db" | Should -Be $false
        New-Task -Id some.task | Send-SisyphusTask
        Complete 'Get-SisyphusTask -Id some' | Should -Be 'some.task'
        Complete 'Stop-SisyphusTask some' | Should -Be 'some.task'
        Complete 'Get-SisyphusNode -Name no-such-' | Should -Be $null
    }

    It 'is the one of SISYPHUS_BROKER unless the session or a parameter says otherwise' {
        $env:SISYPHUS_BROKER = "sqlite:$TestDrive/environment.db"
        try {
            New-Task | Send-SisyphusTask
            (Get-SisyphusQueue).Address | Should -Match 'environment.db$'
            Connect-Sisyphus -Broker "sqlite:$TestDrive/session.db"
            (Get-SisyphusQueue).Ready | Should -Be 0
            (Get-SisyphusQueue -Broker "sqlite:$TestDrive/environment.db").Ready | Should -Be 1
        }
        finally {
            [Environment]::SetEnvironmentVariable('SISYPHUS_BROKER', $null)
            Connect-Sisyphus
        }
    }

    It 'shows what happened to a task' {
        $sent = New-Task | Send-SisyphusTask -PassThru
        $sent | Stop-SisyphusTask
        @(Watch-SisyphusTask $sent.Id).Kind -join ' ' | Should -Be 'TaskSent TaskEnded'
        @(Watch-SisyphusTask -Replay | Select-Object -First 2).Kind -join ' ' | Should -Be 'TaskSent TaskEnded'
    }

    It 'shows the output of tasks that run, not of those that have ended' {
        $sent = New-Task | Send-SisyphusTask -PassThru
        $sent | Stop-SisyphusTask
        $written = @($sent | Watch-SisyphusTask -Output 3>&1)
        $written.Count | Should -Be 1
        $written[0].Message | Should -Match "^Task $($sent.Id) has ended \(Canceled\)\."
    }

    It 'waits with -Output until the task has ended, in another process' {
        $sent = New-Task | Send-SisyphusTask -PassThru
        $process = Start-TestHost "Start-Sleep 1; Stop-SisyphusTask $($sent.Id)"
        try {
            @(Watch-SisyphusTask $sent.Id -Output).Count | Should -Be 0
            (Get-SisyphusTask $sent.Id).State | Should -Be 'Canceled'
        }
        finally {
            $null = $process.WaitForExit(60000)
        }
    }

    It 'does not show the output of more than 100 tasks at a time' {
        $sent = 1..101 | ForEach-Object { New-Task } | Send-SisyphusTask -PassThru
        $caught = $null
        try { $sent | Watch-SisyphusTask -Output } catch { $caught = $_ }
        $caught.FullyQualifiedErrorId | Should -Match '^Sisyphus\.OutputNotReadable,'
        $caught.CategoryInfo.Category | Should -Be 'InvalidArgument'
        $caught.Exception.Message | Should -Match '101 .*allowed: 1 to 100'
    }

    It '<Command> says that it does not know the id' -ForEach @(
        @{ Command = 'Get-SisyphusTask nobody'; Id = 'TaskNotFound' }
        @{ Command = 'Wait-SisyphusTask nobody -Timeout 1s'; Id = 'TaskNotFound' }
        @{ Command = 'Watch-SisyphusTask nobody'; Id = 'TaskNotFound' }
        @{ Command = 'Watch-SisyphusTask nobody -Output'; Id = 'TaskNotFound' }
        @{ Command = 'Stop-SisyphusTask nobody'; Id = 'TaskNotFound' }
        @{ Command = 'Resume-SisyphusTask nobody'; Id = 'DeadLetterNotFound' }
        @{ Command = 'Get-SisyphusDeadLetter nobody'; Id = 'DeadLetterNotFound' }
        @{ Command = 'Get-SisyphusNode nobody'; Id = 'NodeNotFound' }
        @{ Command = 'Stop-SisyphusNode nobody'; Id = 'NodeNotFound' }
    ) {
        $error = Get-ErrorOf ([scriptblock]::Create($Command))
        $error.FullyQualifiedErrorId | Should -Match "^Sisyphus\.$Id,"
        $error.CategoryInfo.Category | Should -Be 'ObjectNotFound'
        $error.TargetObject | Should -Be 'nobody'
    }

    It '<Command> refuses the workflow <Workflow>, of which no node would hear' -ForEach @(
        @{ Command = 'Send-SisyphusTask'; Workflow = '_x' }
        @{ Command = 'Send-SisyphusTask'; Workflow = 'amq.x' }
        @{ Command = 'Send-SisyphusTask'; Workflow = 'a b' }
        @{ Command = 'Start-SisyphusNode'; Workflow = 'a b' }
        @{ Command = 'Start-SisyphusNode'; Workflow = '_x' }
    ) {
        $error = Get-ErrorOf { if ($Command -like 'Send*') { New-Task | Send-SisyphusTask -Workflow $Workflow } else { Start-SisyphusNode -Workflow $Workflow -IdleTimeout 1s } }
        $error.FullyQualifiedErrorId | Should -Match '^Sisyphus\.InvalidSetting,'
        "$error" | Should -Match "is '?$([regex]::Escape($Workflow))'?; allowed: "
        @(Get-SisyphusTask).Count | Should -Be 0
    }

    It '<Name> is no queue and is left alone' -ForEach @(
        @{ Name = 'text'; Text = 'This is a diary, and long enough to be one: no database begins like this, and none ever will.' }
    ) {
        $path = "$TestDrive/diary-$([guid]::NewGuid())"
        Set-Content -LiteralPath $path -Value $Text
        $before = Get-Content -LiteralPath $path -Raw
        $error = Get-ErrorOf { Get-SisyphusQueue -Broker "sqlite:$path" }
        $error.FullyQualifiedErrorId | Should -Match '^Sisyphus\.QueueNotAQueue,'
        $error.CategoryInfo.Category | Should -Be 'InvalidData'
        Get-Content -LiteralPath $path -Raw | Should -Be $before
    }

    It 'is not opened by an older version than wrote it' {
        $path = "$TestDrive/newer.db"
        New-Task | Send-SisyphusTask -Broker "sqlite:$path"
        $file = [IO.File]::Open($path, 'Open', 'ReadWrite')
        try {
            # The schema's version, big-endian.
            $file.Position = 60
            $file.Write([byte[]] (0, 0, 255, 255), 0, 4)
        }
        finally {
            $file.Dispose()
        }
        foreach ($command in { Get-SisyphusQueue -Broker "sqlite:$path" }, { New-Task | Send-SisyphusTask -Broker "sqlite:$path" }, { Wait-SisyphusTask x -Broker "sqlite:$path" }) {
            $error = Get-ErrorOf $command
            $error.FullyQualifiedErrorId | Should -Match '^Sisyphus\.QueueNewerVersion,'
            $error.CategoryInfo.Category | Should -Be 'NotImplemented'
        }
    }

    It 'is no folder' {
        (Get-ErrorOf { New-Task | Send-SisyphusTask -Broker "sqlite:$TestDrive" }).FullyQualifiedErrorId | Should -Match '^Sisyphus\.Queue(NotAQueue|Denied|Unavailable),'
    }

    It 'has no address <Address>' -ForEach @(
        @{ Address = 'nonsense' }
        @{ Address = 'sqlite:' }
        @{ Address = 'redis://localhost' }
    ) {
        (Get-ErrorOf { Get-SisyphusQueue -Broker $Address }).FullyQualifiedErrorId | Should -Match '^Sisyphus\.InvalidSetting,'
        (Get-ErrorOf { Connect-Sisyphus -Broker $Address }).FullyQualifiedErrorId | Should -Match '^Sisyphus\.InvalidSetting,'
    }

    It 'lies where a relative path says' {
        Push-Location $TestDrive
        try {
            New-Task | Send-SisyphusTask -Broker sqlite:./here.db
            Test-Path ./here.db | Should -Be $true
            (Get-SisyphusQueue -Broker sqlite:./here.db).Ready | Should -Be 1
            (Get-SisyphusQueue).Ready | Should -Be 0
        }
        finally {
            Pop-Location
        }
    }

    It 'names the range for <Command>' -ForEach @(
        @{ Command = 'Start-SisyphusNode -Concurrency 0'; Range = '1' }
        @{ Command = 'Start-SisyphusNode -Concurrency 257'; Range = '256' }
        @{ Command = 'Start-SisyphusNode -IdleTimeout "31d" -WhatIf'; Range = '30' }
        @{ Command = 'Start-SisyphusNode -IdleTimeout soon -WhatIf'; Range = 'soon' }
        @{ Command = 'Start-SisyphusNode -MaxTasks 0'; Range = '1' }
        @{ Command = 'Start-SisyphusNode -LeaseTime 0.5s -WhatIf'; Range = '00:00:01' }
        @{ Command = 'Start-SisyphusNode -Memory 1MiB -WhatIf'; Range = '6 MiB' }
        @{ Command = 'Start-SisyphusNode -Memory lots -WhatIf'; Range = 'lots' }
        @{ Command = 'Start-SisyphusNode -Name "a b" -WhatIf'; Range = 'letters' }
        @{ Command = 'Send-SisyphusTask "{}" -Priority 10'; Range = '9' }
        @{ Command = 'Wait-SisyphusTask x -Timeout -1s'; Range = '-1s' }
        @{ Command = 'Get-SisyphusTask -Last 0'; Range = '1' }
    ) {
        $error = Get-ErrorOf ([scriptblock]::Create($Command))
        $error | Should -Not -Be $null
        "$error" | Should -Match ([regex]::Escape($Range))
    }
}
