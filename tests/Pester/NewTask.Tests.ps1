BeforeAll {
    . "$PSScriptRoot/common.ps1"
}

Describe 'New-SisyphusTask' {
    It 'makes the document that its parameters describe' {
        $task = New-SisyphusTask -Image alpine -Command wc, -c, /in/a -Input @{ 'demo:a' = '/in/a' } -Output @{ 'demo:count' = '>' }
        $task.Json | Should -Be '{"image":"alpine","inputs":{"demo:a":"/in/a"},"outputs":{"demo:count":">"},"command":["wc","-c","/in/a"]}'
    }

    It 'passes each word on as it is' {
        $words = 'a b', "it's", '"', '$HOME', "two`nlines", '', 'ä€😀', '-x', '\'
        $task = New-SisyphusTask -Image a -Command (@('echo') + $words)
        $task.Commands[0].Arguments.Count | Should -Be 10
        for ($i = 0; $i -lt $words.Count; $i++) {
            $task.Commands[0].Arguments[$i + 1] | Should -BeExactly $words[$i]
        }
    }

    It 'takes several commands as <What>' -ForEach @(
        @{ What = 'hashtables'; Commands = @(@{ command = 'sort', '/in/a'; stdout = '/tmp/b' }, @{ command = @('wc', '/tmp/b'); ignoreError = $true }) }
        @{ What = 'objects'; Commands = @([pscustomobject]@{ Command = 'sort', '/in/a'; StdOut = '/tmp/b' }, [pscustomobject]@{ Command = @('wc', '/tmp/b'); IgnoreError = $true }) }
    ) {
        $task = New-SisyphusTask -Image a -Command $Commands
        $task.Commands.Count | Should -Be 2
        $task.Commands[0].StandardOutput | Should -Be '/tmp/b'
        $task.Commands[1].IgnoreError | Should -Be $true
        $task.Commands[1].Arguments -join '|' | Should -Be 'wc|/tmp/b'
    }

    It 'takes several commands as lists' {
        $task = New-SisyphusTask -Image a -Command @('sort', '/a'), @('wc', '/b')
        @($task.Commands | ForEach-Object ToString) -join ';' | Should -Be 'sort /a;wc /b'
    }

    It 'takes the commands of another task' {
        $one = New-SisyphusTask -Image a -Command @('sort', '/a'), @('wc', '/b')
        (New-SisyphusTask -Image b -Command $one.Commands).Commands.Count | Should -Be 2
    }

    It 'keeps the order of an ordered dictionary' {
        $in = [ordered]@{}
        foreach ($i in 9..1) { $in["b:$i"] = "/in/$i" }
        (New-SisyphusTask -Image a -Command x -Input $in).Inputs.Path -join ' ' | Should -Be '/in/9 /in/8 /in/7 /in/6 /in/5 /in/4 /in/3 /in/2 /in/1'
    }

    It 'takes writable inputs and optional outputs' {
        $task = New-SisyphusTask -Image a -Command x -Input @{ 'b:a' = @{ Path = '/a'; Writable = $true } } -Output @{ 'b:c' = @{ path = '/c'; optional = $true } }
        $task.Inputs[0].Writable | Should -Be $true
        $task.Outputs[0].Optional | Should -Be $true
    }

    It 'reads the timeout <Given> as <Seconds> s' -ForEach @(
        @{ Given = 90; Seconds = 90 }
        @{ Given = '90'; Seconds = 90 }
        @{ Given = '90m'; Seconds = 5400 }
        @{ Given = 'PT1H30M'; Seconds = 5400 }
        @{ Given = [timespan]'01:30:00'; Seconds = 5400 }
    ) {
        (New-SisyphusTask -Image a -Command x -Timeout $Given).Timeout.TotalSeconds | Should -Be $Seconds
    }

    It 'tells the number 512MB from the text "512MB"' {
        (New-SisyphusTask -Image a -Command x -Memory 512MB).Resources.Memory | Should -Be 536870912
        (New-SisyphusTask -Image a -Command x -Memory '512MB').Resources.Memory | Should -Be 512000000
        (New-SisyphusTask -Image a -Command x -Memory 512MiB).Resources.Memory | Should -Be 536870912
        (New-SisyphusTask -Image a -Command x -Memory 1.5GB).Resources.Memory | Should -Be 1610612736
    }

    It 'sets everything else that a document has' {
        $task = New-SisyphusTask -Image a -Command x -Environment @{ N = 1; B = $true; S = 'a b' } -WorkingDirectory /w -User 1:2 -Network None `
            -Cpu 1.5 -Disk 1GB -Gpu 1 -ProcessLimit 9 -SharedMemory 64MB -Retry 0 -RetryExitCode 7, 8 -Priority 9 -Id i.1 -Name n -Workflow w -Tag @{ k = 2 } `
            -StandardInput /i -StandardOutput /o -StandardError /e
        $task.Environment['N'] | Should -Be '1'
        $task.Environment['B'] | Should -Be 'True'
        "$($task.WorkingDirectory) $($task.User) $($task.Network)" | Should -Be '/w 1:2 None'
        $task.Resources.Cpus | Should -Be 1.5
        $task.Resources.Disk | Should -Be 1073741824
        $task.Resources.Gpus | Should -Be 1
        $task.Resources.Pids | Should -Be 9
        $task.Resources.SharedMemory | Should -Be 67108864
        "$($task.Retries) $($task.RetryExitCodes -join ',') $($task.Priority)" | Should -Be '0 7,8 9'
        "$($task.Id) $($task.Name) $($task.Workflow) $($task.Tags['k'])" | Should -Be 'i.1 n w 2'
        "$($task.Commands[0].StandardInput) $($task.Commands[0].StandardOutput) $($task.Commands[0].StandardError)" | Should -Be '/i /o /e'
    }

    It 'takes an empty value for one that is not given' {
        (New-SisyphusTask -Image a -Command x -Name '' -User $null).Json | Should -Be '{"image":"a","command":["x"]}'
    }
}

Describe 'New-SisyphusTask in a pipeline' {
    BeforeAll {
        $rows = [pscustomobject]@{ Name = 'a1'; Lines = 3 }, [pscustomobject]@{ Name = 'b2'; Lines = 4 }
    }

    It 'computes parameters from each object' {
        $tasks = @($rows | New-SisyphusTask -Image tools:1 -Command { 'head', '-n', "$($_.Lines)", "/in/$($_.Name)" } -Input { @{ "lab:$($_.Name)" = "/in/$($_.Name)" } } -Tag { @{ lines = $_.Lines } })
        $tasks.Count | Should -Be 2
        "$($tasks[1].Commands[0])" | Should -Be 'head -n 4 /in/b2'
        "$($tasks[1].Inputs[0])" | Should -Be 'lab:b2 -> /in/b2'
        $tasks[1].Tags['lines'] | Should -Be '4'
        $tasks[1].Name | Should -Be 'b2'
    }

    It 'computes a list of commands' {
        $tasks = @('p', 'q' | New-SisyphusTask -Image a -Command { @{ command = 'one', "$_" }, @{ command = 'two', "$_" } })
        "$($tasks[1].Commands[1])" | Should -Be 'two q'
    }

    It 'makes a task for each object even when nothing is computed' {
        @(1..3 | New-SisyphusTask -Image a -Command x).Count | Should -Be 3
    }

    It 'goes on after a bad one, which is the target of its error' {
        $tasks = $rows | New-SisyphusTask -Image a -Command x -Input { @{ 'b:a' = if ($_.Name -eq 'a1') { 'relative' } else { '/in' } } } -ErrorVariable failed -ErrorAction SilentlyContinue
        @($tasks).Count | Should -Be 1
        $failed[0].TargetObject.Name | Should -Be 'a1'
    }
}

Describe 'What New-SisyphusTask refuses' {
    It 'lists all that is wrong in one error' {
        $failure = Get-ErrorOf { New-SisyphusTask -Image 'bad image' -Command x -Input @{ 'b:../k' = 'relative' } -Timeout 9q }
        $failure.FullyQualifiedErrorId | Should -Be 'Sisyphus.InvalidDocument,Sisyphus.PowerShell.Commands.NewSisyphusTaskCommand'
        $failure.CategoryInfo.Category | Should -Be 'InvalidData'
        @($failure.Exception.Errors | ForEach-Object Path | Sort-Object) -join ' ' | Should -Match '\$\.image .*\$\.timeout'
        @($failure.Exception.Errors | ForEach-Object Line | Sort-Object -Unique) | Should -Be 0
        "$failure" | Should -Match '9q'
    }

    It 'refuses <What>' -ForEach @(
        @{ What = 'words mixed with lists'; Command = 'sort', @('a', 'b'); Message = 'mixes words' }
        @{ What = 'a list in a list in a list'; Command = @(@('a', @('b')), @('c')); Message = 'itself a list' }
        @{ What = 'an unknown key of a command'; Command = @(@{ command = 'a'; stdot = '/x' }); Message = 'stdot' }
        @{ What = 'a word that is null'; Command = @('a', $null); Message = 'null' }
    ) {
        $failure = Get-ErrorOf { New-SisyphusTask -Image a -Command $Command }
        $failure.FullyQualifiedErrorId | Should -Be 'ParameterArgumentTransformationError,Sisyphus.PowerShell.Commands.NewSisyphusTaskCommand'
        "$failure" | Should -Match $Message
    }

    It 'refuses the redirects of a single command beside several' {
        $failure = Get-ErrorOf { New-SisyphusTask -Image a -Command @('a'), @('b', 'c') -StandardOutput /o }
        $failure.FullyQualifiedErrorId | Should -Match '^Sisyphus.InvalidDocument'
    }
}
