# What a user sees of everything that can be wrong with a task that runs: the error's id, category and target, and nothing left behind.
BeforeDiscovery {
    . "$PSScriptRoot/common.ps1"
    $noEngine = -not (New-TestImage 'sisyphus-pester-bad:busybox')
    $cases = @(
        @{ Name = 'an image that nobody has'; Reason = 'ImageNotFound'; Category = 'ObjectNotFound'; Task = @{ image = 'sisyphus-pester-none:1'; command = @('true') }; PullPolicy = 'Never' }
        @{ Name = 'an input that is absent'; Reason = 'InputMissing'; Category = 'ObjectNotFound'; Task = @{ command = @('true'); inputs = @{ 'bad:absent' = '/in' } } }
        @{ Name = 'a bucket that is absent'; Reason = 'InputMissing'; Category = 'ObjectNotFound'; Task = @{ command = @('true'); inputs = @{ 'nowhere:a' = '/in' } } }
        @{ Name = 'an output that is not written'; Reason = 'OutputMissing'; Category = 'ObjectNotFound'; Task = @{ command = @('true'); outputs = @{ 'bad:o' = '/out/o' } } }
        @{ Name = 'an output directory that is empty'; Reason = 'OutputMissing'; Category = 'ObjectNotFound'; Task = @{ command = @('true'); outputs = @{ 'bad:o/' = '/out/' } } }
        @{ Name = 'a symbolic link in an output tree'; Reason = 'OutputUnsafe'; Category = 'SecurityError'; Task = @{ command = @('ln', '-s', '/etc/passwd', '/out/l'); outputs = @{ 'bad:o/' = '/out/' } } }
        @{ Name = 'a FIFO in an output tree'; Reason = 'OutputUnsafe'; Category = 'SecurityError'; Task = @{ command = @('mkfifo', '/out/p'); outputs = @{ 'bad:o/' = '/out/' } } }
        @{ Name = 'a command that the image does not have'; Reason = 'ExecutorExit'; Category = 'InvalidResult'; Task = @{ command = @('no-such-program') } }
        @{ Name = 'a command that fails'; Reason = 'ExecutorExit'; Category = 'InvalidResult'; Task = @{ command = @('false') } }
        @{ Name = 'a user that the image does not know'; Reason = 'ExecutorExit'; Category = 'InvalidResult'; Task = @{ command = @('true'); user = 'nobody-knows' } }
        @{ Name = 'a task over its time limit'; Reason = 'Timeout'; Category = 'OperationTimeout'; Task = @{ command = @('sh', '-c', 'trap "exit 9" TERM; sleep 60 & wait'); timeout = 1 } }
    )
}

BeforeAll {
    . "$PSScriptRoot/common.ps1"
    Use-TestUser "$TestDrive/user"
    $image = 'sisyphus-pester-bad:busybox'
}

AfterAll {
    docker rmi -f sisyphus-pester-bad:busybox 2>&1 | Out-Null
}

Describe 'A task with <Name>' -Tag Docker -Skip:$noEngine -ForEach $cases {
    BeforeAll {
        $document = $Task.Clone()
        if (-not $document.ContainsKey('image')) { $document.image = $image }
        $document.retries = 0
        $arguments = @{ AllowUser = $true }
        if ($PullPolicy) { $arguments.PullPolicy = $PullPolicy }
        $result = $document | Invoke-SisyphusTask @arguments -ErrorVariable problems -ErrorAction SilentlyContinue
        $problem = $problems | Where-Object { $_ -is [System.Management.Automation.ErrorRecord] } | Select-Object -First 1
    }

    It 'gives its result with the reason' {
        "$($result.Reason)" | Should -Be $Reason
        $result.Message | Should -Not -BeNullOrEmpty
    }

    It 'writes one error with id, category and target' {
        $problem.FullyQualifiedErrorId | Should -Be "Sisyphus.$Reason,Sisyphus.PowerShell.Commands.InvokeSisyphusTaskCommand"
        "$($problem.CategoryInfo.Category)" | Should -Be $Category
        $problem.TargetObject.Id | Should -Be $result.Id
    }

    It 'leaves nothing behind' {
        @(docker ps --all --quiet --filter "label=sisyphus.task=$($result.Id)").Count | Should -Be 0
        @(Get-SisyphusObject bad: -ErrorAction SilentlyContinue).Count | Should -Be 0
    }
}

Describe 'A work directory that is a file' -Tag Docker -Skip:$noEngine {
    It 'ends the command with an error that names it' {
        Set-Content -LiteralPath "$TestDrive/file" -Value 'x'
        $problem = Get-ErrorOf { @{ image = $image; command = @('true') } | Invoke-SisyphusTask -WorkDirectory "$TestDrive/file" }
        $problem.FullyQualifiedErrorId | Should -Be 'Sisyphus.FileNotWritten,Sisyphus.PowerShell.Commands.InvokeSisyphusTaskCommand'
        $problem.TargetObject | Should -BeLike '*file'
    }

    It 'is not touched by -WhatIf' {
        $null = @{ image = $image; command = @('true') } | Invoke-SisyphusTask -WorkDirectory "$TestDrive/new" -WhatIf
        "$TestDrive/new" | Should -Not -Exist
    }
}
