# The runner is itself run on files that these tests write, in a session of its own: under Pester the names Describe, It and
# Should are Pester's here.

BeforeAll {
    $manifest = Join-Path $PSScriptRoot Runner/Runner.psd1

    function Invoke-Runner([string] $Text, [hashtable] $Parameters = @{}) {
        $file = Join-Path $TestDrive "$([guid]::NewGuid().ToString('n')).Tests.ps1"
        [IO.File]::WriteAllText($file, $Text)
        $shell = [powershell]::Create([runspacefactory]::CreateRunspace([runspace]::DefaultRunspace.InitialSessionState.Clone()))
        try {
            $shell.Runspace.Open()
            $null = $shell.AddCommand('Import-Module').AddParameter('Name', $manifest).AddStatement()
            $null = $shell.AddCommand('Invoke-TestFile').AddParameter('Path', $file).AddParameters($Parameters)
            $shell.Invoke()[0]
        }
        finally {
            $shell.Runspace.Dispose()
            $shell.Dispose()
        }
    }
}

Describe 'The runner' {
    Context 'counting' {
        It 'counts what passes, fails and is skipped' {
            $summary = Invoke-Runner @'
Describe 'a' {
    It 'passes' { 1 | Should -Be 1 }
    It 'fails' { 1 | Should -Be 2 }
    It 'is skipped' -Skip { throw 'never' }
}
'@
            $summary.Passed | Should -Be 1
            $summary.Failed | Should -Be 1
            $summary.Skipped | Should -Be 1
        }

        It 'names the file and line of a failed assertion' {
            $summary = Invoke-Runner "Describe 'a' {`n    It 'fails' {`n        1 | Should -Be 2 -Because 'it is one'`n    }`n}"
            $summary.Failures[0].Name | Should -Be 'a.fails'
            $summary.Failures[0].Message | Should -Be 'Expected 2, because it is one, but got 1.'
            $summary.Failures[0].Place | Should -Match 'Tests\.ps1:3$'
        }

        It 'takes an error in a test for a failure' {
            (Invoke-Runner "Describe 'a' { It 'b' { throw 'boom' } }").Failures[0].Message | Should -Be 'boom'
        }

        It 'takes a file that does not parse for a failure' {
            (Invoke-Runner "Describe 'a' {").Failed | Should -Be 1
        }

        It 'selects by <Name>' -ForEach @(
            @{ Arguments = @{ Tag = 'fast' }; Name = 'tag'; Passed = 1 }
            @{ Arguments = @{ ExcludeTag = 'fast' }; Name = 'tag to exclude'; Passed = 2 }
            @{ Arguments = @{ FullName = '*.third' }; Name = 'full name'; Passed = 1 }
        ) {
            $summary = Invoke-Runner @'
Describe 'a' {
    It 'first' -Tag fast { }
    It 'second' { }
    Context 'b' { It 'third' { } }
}
'@ $Arguments
            $summary.Passed | Should -Be $Passed
        }
    }

    Context 'two phases and scopes' {
        It 'runs set-up and tests in the order and the scopes of Pester' {
            $summary = Invoke-Runner @'
BeforeAll { $file = 'file' }
Describe 'outer' {
    BeforeAll { $outer = 'outer'; $log = [Collections.Generic.List[string]]::new() }
    BeforeEach { $log.Add('each') ; $own = 0 }
    AfterEach { $log.Add('after') }
    It 'sees what BeforeAll set' { "$file $outer" | Should -BeExactly 'file outer'; $own = 1; $outer = 'changed' }
    It 'has a scope of its own' { $own | Should -Be 0; $outer | Should -Be 'outer' }
    Context 'inner' {
        BeforeAll { $inner = $outer + ' inner' }
        BeforeEach { $log.Add('inner each') }
        AfterEach { $log.Add('inner after') }
        It 'nests' { $inner | Should -Be 'outer inner' }
        It 'nests the hooks' { ($log | Select-Object -Last 6) -join ',' | Should -Be 'each,inner each,inner after,after,each,inner each' }
    }
    It 'does not see inside' { $inner | Should -BeNullOrEmpty }
}
'@
            $summary.Failures.Message | Should -BeNullOrEmpty
            $summary.Passed | Should -Be 5
        }

        It 'does not carry variables of discovery into the run' {
            (Invoke-Runner 'BeforeDiscovery { $found = 1 }; Describe "a" { $here = 2; It "b" { "$found$here" | Should -Be "" } }').Failed | Should -Be 0
        }

        It 'takes the data of BeforeDiscovery and shows them in names' {
            $summary = Invoke-Runner @'
BeforeDiscovery { $cases = @(@{ Name = 'x'; Of = @{ Size = 3 } }, @{ Name = 'y'; Of = @{ Size = 4 } }) }
Describe 'block <_>' -ForEach 1, 2 {
    BeforeAll { $block = $_ }
    It 'case <Name> of <Of.Size>' -ForEach $cases { "$block$Name$($Of.Size)" | Should -Be 'never' }
}
'@
            $summary.Failures.Name | Should -Be 'block 1.case x of 3', 'block 1.case y of 4', 'block 2.case x of 3', 'block 2.case y of 4'
            $summary.Failures[3].Message | Should -BeLike "*but got '2y4'.*"
        }

        It 'runs every item of a single-item -ForEach and none of an empty one' {
            (Invoke-Runner 'Describe "a" { It "one <_>" -ForEach @(7) { $_ | Should -Be 7 }; It "none" -ForEach @() { throw } }').Passed | Should -Be 1
        }
    }

    Context 'set-up that fails' {
        It 'fails every test of the block of a failed BeforeAll, and no other' {
            $summary = Invoke-Runner @'
Describe 'a' {
    Context 'bad' { BeforeAll { throw 'no' }
        It 'one' { }
        It 'two' { } }
    It 'good' { }
}
'@
            $summary.Passed | Should -Be 1
            $summary.Failures.Name | Should -Be 'a.bad.one', 'a.bad.two'
        }

        It 'reports a failed <Hook>' -ForEach @{ Hook = 'AfterAll' }, @{ Hook = 'AfterEach' }, @{ Hook = 'BeforeEach' } {
            $summary = Invoke-Runner "Describe 'a' { $Hook { throw 'teardown' }; It 'b' { } }"
            $summary.Failed | Should -Be 1
            $summary.Failures[0].Message | Should -Be 'teardown'
        }

        It 'does not set up a block whose tests are all skipped' {
            (Invoke-Runner "Describe 'a' -Skip { BeforeAll { throw 'no' }; It 'b' { } }").Failed | Should -Be 0
        }
    }

    Context '$TestDrive' {
        It 'is emptied of what a block has left' {
            $summary = Invoke-Runner @'
Describe 'a' {
    BeforeAll { [IO.File]::WriteAllText("$TestDrive/outer", '') }
    Context 'b' { It 'writes' { $null = [IO.Directory]::CreateDirectory("$TestDrive/inner/deep") } }
    It 'has the outer only' { [IO.Directory]::GetFileSystemEntries($TestDrive).Count | Should -Be 1 }
}
Describe 'c' { It 'has nothing' { [IO.Directory]::GetFileSystemEntries($TestDrive).Count | Should -Be 0 } }
'@
            $summary.Failures.Message | Should -BeNullOrEmpty
        }
    }

    Context 'what it has not' {
        It 'fails loudly on <Code>' -ForEach @(
            @{ Code = 'Mock Get-Item { }' }
            @{ Code = 'InModuleScope x { }' }
            @{ Code = 'Set-ItResult -Skipped' }
            @{ Code = '1 | Should -Invoke' }
            @{ Code = '1 | Should' }
            @{ Code = '1 | Should -Be 1 -BeTrue' }
            @{ Code = '1 | Should-Be 1' }
            @{ Code = 'It "inside" { }' }
        ) {
            (Invoke-Runner "Describe 'a' { It 'b' { $Code } }").Failed | Should -Be 1
        }
    }
}

# Should is checked both ways under whatever runs this file, so that runner and Pester agree on every line of the table.
Describe 'Should' {
    It 'accepts <_>' -ForEach @(
        '1 | Should -Be 1', '"a" | Should -Be "A"', '"a" | Should -BeExactly "a"', '1, 2 | Should -Be 1, 2', '$null | Should -Be $null'
        '"" | Should -BeNullOrEmpty', '@() | Should -BeNullOrEmpty', '$null | Should -BeNullOrEmpty', '1 | Should -Not -BeNullOrEmpty'
        '$true | Should -BeTrue', '"x" | Should -BeTrue', '0 | Should -BeFalse', '2 | Should -BeGreaterThan 1', '1 | Should -BeLessThan 2'
        '2 | Should -BeGreaterOrEqual 2', '2 | Should -BeLessOrEqual 2', '"abc" | Should -BeLike "A*"', '"abc" | Should -BeLikeExactly "a*"'
        '"abc" | Should -Match "B"', '"abc" | Should -MatchExactly "b"', '1, 2 | Should -Contain 2', '1, 2 | Should -Not -Contain 3'
        '1 | Should -BeIn 1, 2', '1 | Should -BeOfType [int]', '1 | Should -BeOfType ([int])', '1, 2 | Should -HaveCount 2', '@() | Should -HaveCount 0'
        '$PSCommandPath | Should -Exist', '"$PSCommandPath.no" | Should -Not -Exist', '$PSCommandPath | Should -FileContentMatch "FileContentMatch"'
        '{ throw "boom" } | Should -Throw', '{ throw "boom" } | Should -Throw "b*m"', '{ throw "boom" } | Should -Throw -ExpectedMessage boom'
        '{ 1 } | Should -Not -Throw', '{ throw [IO.FileNotFoundException]::new() } | Should -Throw -ExceptionType ([IO.IOException])'
        '{ throw "boom" } | Should -Throw -ErrorId boom', '({ throw "boom" } | Should -Throw -PassThru).Exception.Message | Should -Be boom'
    ) {
        . ([scriptblock]::Create($_.Replace('$PSCommandPath', "'$PSCommandPath'")))
    }

    It 'refuses <_>' -ForEach @(
        '1 | Should -Be 2', '"a" | Should -BeExactly "A"', '1, 2 | Should -Be 1, 3', '1, 2 | Should -Be 1', '1 | Should -Not -Be 1', '$null | Should -Be 0'
        '" " | Should -BeNullOrEmpty', '$null | Should -Not -BeNullOrEmpty', '$false | Should -BeTrue', '1 | Should -BeFalse'
        '1 | Should -BeGreaterThan 1', '1 | Should -BeLessThan 1', '1 | Should -BeGreaterOrEqual 2', '3 | Should -BeLessOrEqual 2'
        '"abc" | Should -BeLike "b*"', '"abc" | Should -BeLikeExactly "A*"', '"abc" | Should -Match "x"', '"abc" | Should -MatchExactly "B"'
        '1, 2 | Should -Contain 3', '3 | Should -BeIn 1, 2', '1 | Should -BeOfType [string]', '1, 2 | Should -HaveCount 3'
        '"$PSCommandPath.no" | Should -Exist', '$PSCommandPath | Should -FileContentMatch "^no such line$"'
        '{ 1 } | Should -Throw', '{ throw "boom" } | Should -Not -Throw', '{ throw "boom" } | Should -Throw "x*"'
        '{ throw "boom" } | Should -Throw -ErrorId other', '{ throw "boom" } | Should -Throw -ExceptionType ([ArgumentException])'
    ) {
        $code = [scriptblock]::Create($_.Replace('$PSCommandPath', "'$PSCommandPath'"))
        $failure = $null
        try { . $code }
        catch { $failure = $_ }
        $failure | Should -Not -BeNullOrEmpty
        $failure.FullyQualifiedErrorId | Should -BeLike 'PesterAssertionFailed*'
    }
}
