BeforeDiscovery {
    . "$PSScriptRoot/common.ps1"
    $noEngine = -not (New-TestImage)
}

BeforeAll {
    . "$PSScriptRoot/common.ps1"
    Use-TestUser "$TestDrive/user"
    $image = 'sisyphus-pester:busybox'

    function Set-Object([string] $Path, [string] $Text) {
        [IO.File]::WriteAllText("$TestDrive/object", $Text)
        Copy-SisyphusObject "$TestDrive/object" $Path
    }

    function Get-Text([string] $Path) {
        $file = Copy-SisyphusObject $Path "$TestDrive/$([guid]::NewGuid())" -PassThru
        [IO.File]::ReadAllText($file.FullName)
    }

    # What an attempt could leave: containers with our labels, files in the work folder's attempts.
    function Get-Container([string] $TaskId) {
        @(docker ps -aq --filter "label=sisyphus.task=$TaskId")
    }
}

AfterAll {
    if (Get-Command docker -CommandType Application -ErrorAction SilentlyContinue) {
        docker rmi -f sisyphus-pester:busybox 2>&1 | Out-Null
    }
}

Describe 'Invoke-SisyphusTask' -Tag Docker -Skip:$noEngine {
    It 'runs a task and returns its result' {
        Set-Object demo:a 'hello'
        $result = New-SisyphusTask -Image $image -Command wc, -c, /in/a -Input @{ 'demo:a' = '/in/a' } -Output @{ 'demo:count' = '>' } -Name count | Invoke-SisyphusTask
        $result.State | Should -Be 'Complete'
        $result.Reason | Should -Be $null
        $result.Name | Should -Be 'count'
        $result.ExitCodes -join ',' | Should -Be '0'
        $result.Commands[0].Command | Should -Be 'wc -c /in/a'
        $result.Attempts | Should -Be 1
        $result.Duration.TotalSeconds | Should -BeGreaterThan 0
        $result.ImageDigest | Should -Match 'sha256:[0-9a-f]{64}'
        $result.Outputs[0].RemotePath | Should -Be 'demo:count'
        $result.Outputs[0].Sha256 | Should -Match '^[0-9a-f]{64}$'
        $result.StandardOutput | Should -Match '^5 /in/a'
        Get-Text demo:count | Should -Be "5 /in/a`n"
        (Get-Container $result.Id).Count | Should -Be 0
    }

    It 'runs a hashtable, JSON text and a deserialized task' {
        $serializer = [System.Management.Automation.PSSerializer]
        $copy = $serializer::Deserialize($serializer::Serialize((New-SisyphusTask -Image $image -Command echo, three), 1))
        $results = @{ image = $image; command = @('echo', 'one') }, "{`"image`": `"$image`", `"command`": [`"echo`", `"two`"]}", $copy | Invoke-SisyphusTask
        @($results | ForEach-Object { $_.StandardOutput.Trim() }) -join ' ' | Should -Be 'one two three'
    }

    It 'runs several at a time' {
        $results = @(1..4 | New-SisyphusTask -Image $image -Command { 'sh', '-c', "echo $_" } -Name { "t$_" } | Invoke-SisyphusTask -ThrottleLimit 2)
        @($results | ForEach-Object Name | Sort-Object) -join ' ' | Should -Be 't1 t2 t3 t4'
        @($results | Where-Object State -EQ Complete).Count | Should -Be 4
    }

    It 'writes a result and an error for a task that fails' {
        $result = New-SisyphusTask -Image $image -Command sh, -c, 'echo so long >&2; exit 7' -Name fails | Invoke-SisyphusTask -ErrorVariable failed -ErrorAction SilentlyContinue
        $result.State | Should -Be 'ExecutorError'
        $result.Reason | Should -Be 'ExecutorExit'
        $result.ExitCodes[0] | Should -Be 7
        $result.StandardError | Should -Match 'so long'
        $failed[0].FullyQualifiedErrorId | Should -Be 'Sisyphus.ExecutorExit,Sisyphus.PowerShell.Commands.InvokeSisyphusTaskCommand'
        $failed[0].CategoryInfo.Category | Should -Be 'InvalidResult'
        $failed[0].TargetObject.Id | Should -Be $result.Id
    }

    It 'goes on after a task that fails, and stops with -ErrorAction Stop' {
        $tasks = New-SisyphusTask -Image $image -Command false -Name bad
        $tasks = @($tasks; New-SisyphusTask -Image $image -Command true -Name good)
        @($tasks | Invoke-SisyphusTask -ErrorAction SilentlyContinue | ForEach-Object State) -join ' ' | Should -Be 'ExecutorError Complete'
        $seen = [System.Collections.Generic.List[object]]::new()
        $failure = Get-ErrorOf { $tasks | Invoke-SisyphusTask -ErrorAction Stop | ForEach-Object { $seen.Add($_) } }
        $failure.FullyQualifiedErrorId | Should -Match '^Sisyphus.ExecutorExit'
        $seen.Count | Should -Be 1
    }

    It 'reports <What>' -ForEach @(
        @{ What = 'an image that is not there'; Id = 'ImageNotFound'; Category = 'ObjectNotFound'; Task = @{ image = 'sisyphus-pester:none'; command = @('true') } }
        @{ What = 'an input that is not there'; Id = 'InputMissing'; Category = 'ObjectNotFound'; Task = @{ image = 'sisyphus-pester:busybox'; command = @('true'); inputs = @{ 'demo:none' = '/in' } } }
        @{ What = 'a bucket that is not there'; Id = 'InputMissing'; Category = 'ObjectNotFound'; Task = @{ image = 'sisyphus-pester:busybox'; command = @('true'); inputs = @{ 'nobucket:x' = '/in' } } }
        @{ What = 'an output that was not written'; Id = 'OutputMissing'; Category = 'ObjectNotFound'; Task = @{ image = 'sisyphus-pester:busybox'; command = @('true'); outputs = @{ 'demo:x' = '/out/x' } } }
        @{ What = 'a symbolic link among the outputs'; Id = 'OutputUnsafe'; Category = 'SecurityError'; Task = @{ image = 'sisyphus-pester:busybox'; command = 'sh', '-c', 'ln -s /etc/passwd /out/x'; outputs = @{ 'demo:unsafe/' = '/out/' } } }
        @{ What = 'a program that is not in the image'; Id = 'ExecutorExit'; Category = 'InvalidResult'; Task = @{ image = 'sisyphus-pester:busybox'; command = @('nosuchprogram') } }
        @{ What = 'a user that the policy forbids'; Id = 'PolicyDenied'; Category = 'PermissionDenied'; Task = @{ image = 'sisyphus-pester:busybox'; command = @('true'); user = '4321:4321' } }
        @{ What = 'a timeout'; Id = 'Timeout'; Category = 'OperationTimeout'; Task = @{ image = 'sisyphus-pester:busybox'; command = 'sleep', '60'; timeout = 1 } }
    ) {
        $result = $Task | Invoke-SisyphusTask -PullPolicy Never -ErrorVariable failed -ErrorAction SilentlyContinue
        $result.Reason | Should -Be $Id
        $failed[0].FullyQualifiedErrorId | Should -Be "Sisyphus.$Id,Sisyphus.PowerShell.Commands.InvokeSisyphusTaskCommand"
        $failed[0].CategoryInfo.Category | Should -Be $Category
        $failed[0].TargetObject.Id | Should -Be $result.Id
        (Get-Container $result.Id).Count | Should -Be 0
    }

    It 'lets documents choose the user with -AllowUser' {
        $result = @{ image = $image; command = 'id', '-u'; user = '1234:1234' } | Invoke-SisyphusTask -AllowUser
        $result.StandardOutput.Trim() | Should -Be '1234'
    }

    It 'puts the lines of the task on the information stream' {
        $null = New-SisyphusTask -Image $image -Command sh, -c, 'echo out; echo err >&2' | Invoke-SisyphusTask -InformationVariable lines
        @($lines | ForEach-Object { "$($_.MessageData.Stream):$_" } | Sort-Object) -join ' ' | Should -Be 'stderr:err stdout:out'
        $lines[0].Tags | Should -Contain 'Sisyphus.Output'
    }

    It 'puts states and lines on the verbose stream with -Verbose' {
        $records = @(New-SisyphusTask -Image $image -Command echo, out -Name v | Invoke-SisyphusTask -Verbose 4>&1)
        $text = @($records | Where-Object { $_ -is [System.Management.Automation.VerboseRecord] } | ForEach-Object Message) -join "`n"
        $text | Should -Match '(?m)^v: Initializing'
        $text | Should -Match '(?m)^v: Running'
        $text | Should -Match '(?m)^v: stdout: out'
    }

    It 'writes the plan with -WhatIf and does nothing' {
        Set-Object demo:planned 'x'
        $plan = New-SisyphusTask -Image $image -Command true -Input @{ 'demo:planned' = '/in/p' } -Output @{ 'demo:notmade' = '>' } -Memory 64MB | Invoke-SisyphusTask -WhatIf
        @($plan.Steps | ForEach-Object Action | Sort-Object -Unique) -join ' ' | Should -Match 'mount.*publish.*run'
        ($plan | Out-String) | Should -Match '/in/p'
        @(Get-SisyphusObject demo:notmade*).Count | Should -Be 0
        (Get-Container $plan.TaskId).Count | Should -Be 0
    }

    It 'leaves nothing behind when the pipeline ends early' {
        $marker = "early-$([guid]::NewGuid())"
        $first = @(1..3 | New-SisyphusTask -Image $image -Command { 'sh', '-c', $(if ($_ -eq 1) { 'true' } else { 'sleep 60' }) } -Id { "$marker-$_" } |
            Invoke-SisyphusTask -ThrottleLimit 3 | Select-Object -First 1)
        $first[0].Id | Should -Be "$marker-1"
        @(1..3 | ForEach-Object { Get-Container "$marker-$_" }).Count | Should -Be 0
    }

    It 'leaves nothing behind when it is stopped, as by Ctrl+C' {
        $id = "stopped-$([guid]::NewGuid())"
        # Not the default session: that needs the console host's assembly, which a host without pwsh has not.
        $shell = [powershell]::Create([System.Management.Automation.Runspaces.InitialSessionState]::CreateDefault2())
        try {
            $null = $shell.AddScript({
                    param($Manifest, $Image, $Id)
                    Import-Module $Manifest
                    New-SisyphusTask -Image $Image -Command sleep, 60 -Id $Id | Invoke-SisyphusTask
                }).AddArgument("$((Get-Module Sisyphus).ModuleBase)/Sisyphus.psd1").AddArgument($image).AddArgument($id)
            $running = $shell.BeginInvoke()
            $clock = [Diagnostics.Stopwatch]::StartNew()
            while ((Get-Container $id).Count -eq 0 -and $clock.Elapsed.TotalSeconds -lt 30) {
                [Threading.Thread]::Sleep(100)
            }
            (Get-Container $id).Count | Should -Be 1
            $clock.Restart()
            $shell.Stop()
            # The command is sleeping and would go on for most of a minute.
            $clock.Elapsed.TotalSeconds | Should -BeLessThan 20
            $shell.InvocationStateInfo.State | Should -Be 'Stopped'
            (Get-Container $id).Count | Should -Be 0
        }
        finally {
            $shell.Dispose()
        }
    }

    It 'does not run again what is published under its id' {
        $task = New-SisyphusTask -Image $image -Command echo, once -Output @{ 'demo:once' = '>' } -Id "once-$([guid]::NewGuid())"
        ($task | Invoke-SisyphusTask).Attempts | Should -Be 1
        $again = $task | Invoke-SisyphusTask
        "$($again.State) $($again.Attempts)" | Should -Be 'Complete 0'
    }

    It 'leaves a record that any machine can read from the bucket' {
        Set-Object records:in/a 'hello'
        $ok = New-SisyphusTask -Image $image -Command cat, /in/a -Input @{ 'records:in/a' = '/in/a' } -Output @{ 'records:out/a' = '>' } -Environment @{ SECRET = 's3cr3t' } | Invoke-SisyphusTask
        $bad = New-SisyphusTask -Image $image -Command false -Output @{ 'records:out/b' = '>' } | Invoke-SisyphusTask -ErrorAction SilentlyContinue
        Use-TestUser "$TestDrive/elsewhere"
        try {
            Connect-Sisyphus -Store "$TestDrive/user/data/sisyphus/store"
            $record = Get-SisyphusTask $ok.Id -Bucket records
            $record.State | Should -Be 'Complete'
            $record.Record | Should -Be $ok.Record
            $record.Inputs[0].RemotePath | Should -Be 'records:in/a'
            $record.Inputs[0].Sha256 | Should -Be '2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824'
            $record.Outputs[0].Sha256 | Should -Be $ok.Outputs[0].Sha256
            $record.Arguments[0] -join ' ' | Should -Be 'cat /in/a'
            $record.EnvironmentNames -join ' ' | Should -Be 'SECRET'
            ($record | Out-String) + ($record | Format-List * | Out-String) | Should -Not -Match 's3cr3t'
            ($bad | Get-SisyphusTask -Bucket records:).Reason | Should -Be 'ExecutorExit'
            @(Get-SisyphusTask -Bucket records | ForEach-Object Id | Sort-Object) -join ' ' | Should -Be (@($ok.Id, $bad.Id | Sort-Object) -join ' ')
            (Get-ErrorOf { Get-SisyphusTask none -Bucket records }).FullyQualifiedErrorId | Should -Be 'Sisyphus.TaskNotFound,Sisyphus.PowerShell.Commands.GetSisyphusTaskCommand'
            (Get-ErrorOf { Get-SisyphusTask -Bucket nowhere }).FullyQualifiedErrorId | Should -Be 'Sisyphus.ObjectNotFound,Sisyphus.PowerShell.Commands.GetSisyphusTaskCommand'
        }
        finally {
            Use-TestUser "$TestDrive/user"
            Connect-Sisyphus
        }
    }

    It 'keeps outputs and commands of a result through serialization' {
        $result = New-SisyphusTask -Image $image -Command echo, x -Output @{ 'demo:ser' = '>' } | Invoke-SisyphusTask
        $serializer = [System.Management.Automation.PSSerializer]
        $copy = $serializer::Deserialize($serializer::Serialize($result))
        $copy.State | Should -Be 'Complete'
        $copy.Outputs[0].RemotePath | Should -Be 'demo:ser'
        $copy.Commands[0].ExitCode | Should -Be 0
        ($copy.Duration -is [timespan]) | Should -Be $true
    }

    It 'shows a result as a table and as a list' {
        $result = New-SisyphusTask -Image $image -Command echo, seen -Name viewed -Output @{ 'demo:view' = '>' } | Invoke-SisyphusTask
        ($result | Out-String) | Should -Match 'viewed.*Complete'
        ($result | Format-List | Out-String) | Should -Match 'demo:view +5 B +sha256:[0-9a-f]{64}'
    }
}

Describe 'Invoke-SisyphusTask without an engine' {
    It 'ends at once with <Id> for <Engine>' -ForEach @(
        @{ Engine = 'unix:///nowhere/docker.sock'; Id = 'EngineUnavailable' }
        @{ Engine = 'tcp://127.0.0.1:9'; Id = 'EngineUnavailable' }
        @{ Engine = 'nosuch://engine'; Id = 'EngineUnavailable' }
    ) {
        $failure = Get-ErrorOf { @{ image = 'a'; command = @('x') } | Invoke-SisyphusTask -Engine $Engine }
        $failure.FullyQualifiedErrorId | Should -Be "Sisyphus.$Id,Sisyphus.PowerShell.Commands.InvokeSisyphusTaskCommand"
        $failure.CategoryInfo.Category | Should -Be 'ResourceUnavailable'
    }

    It 'refuses what is no task, and goes on' {
        $failure = Get-ErrorOf { 7, '{"image": 7}' | Invoke-SisyphusTask -Engine unix:///nowhere/docker.sock }
        $failure.FullyQualifiedErrorId | Should -Be 'Sisyphus.InvalidDocument,Sisyphus.PowerShell.Commands.InvokeSisyphusTaskCommand'
        $failure.TargetObject | Should -Be 7
    }

    It 'refuses a store that can''t be' {
        $failure = Get-ErrorOf { @{ image = 'a'; command = @('x') } | Invoke-SisyphusTask -Store nosuch://store }
        $failure.FullyQualifiedErrorId | Should -Be 'Sisyphus.InvalidSetting,Sisyphus.PowerShell.Commands.InvokeSisyphusTaskCommand'
    }

    It 'refuses a node name that can''t be' {
        $failure = Get-ErrorOf { @{ image = 'a'; command = @('x') } | Invoke-SisyphusTask -Node ('n' * 200) }
        $failure.FullyQualifiedErrorId | Should -Be 'Sisyphus.InvalidSetting,Sisyphus.PowerShell.Commands.InvokeSisyphusTaskCommand'
        $failure.TargetObject | Should -Be 'NodeName'
    }
}
