BeforeAll {
    . "$PSScriptRoot/common.ps1"

    $valid = '{"image": "a", "command": ["x"]}'
    function New-File([string] $Name, [string] $Text) {
        $path = Join-Path $TestDrive $Name
        [IO.File]::WriteAllText($path, $Text)
        $path
    }
}

Describe 'Import-SisyphusTask' {
    It 'reads a document' {
        (Import-SisyphusTask (New-File one.json $valid)).Image | Should -Be 'a'
    }

    It 'reads an array of documents' {
        $path = New-File many.json "[$valid, {`"image`": `"b`", `"command`": [`"y`"]}]"
        @(Import-SisyphusTask $path | ForEach-Object Image) -join ' ' | Should -Be 'a b'
    }

    It 'reads what a wildcard matches, below the location of the session' {
        $null = New-Item -ItemType Directory "$TestDrive/wild"
        1..3 | ForEach-Object { $null = New-File "wild/w$_.json" $valid }
        Push-Location "$TestDrive/wild"
        try {
            @(Import-SisyphusTask w*.json).Count | Should -Be 3
            @(Import-SisyphusTask ./w1.json).Count | Should -Be 1
        }
        finally {
            Pop-Location
        }
    }

    It 'reads the files of the pipeline' {
        $null = New-Item -ItemType Directory "$TestDrive/piped"
        1..2 | ForEach-Object { $null = New-File "piped/p$_.json" $valid }
        @(Get-ChildItem "$TestDrive/piped" | Import-SisyphusTask).Count | Should -Be 2
        @("$TestDrive/piped/p1.json" | Import-SisyphusTask).Count | Should -Be 1
    }

    It 'takes brackets literally where asked' {
        $path = New-File 'a[1].json' $valid
        (Import-SisyphusTask -LiteralPath $path).Image | Should -Be 'a'
    }

    It 'reads text' {
        (Import-SisyphusTask -Json $valid).Image | Should -Be 'a'
    }

    It 'says all that is wrong with a file, where' {
        $path = New-File bad.json "{`"imge`": `"a`",`n `"command`": `"x`"}"
        $failure = Get-ErrorOf { Import-SisyphusTask $path }
        $failure.FullyQualifiedErrorId | Should -Be 'Sisyphus.InvalidDocument,Sisyphus.PowerShell.Commands.ImportSisyphusTaskCommand'
        $failure.CategoryInfo.Category | Should -Be 'InvalidData'
        $failure.TargetObject | Should -Be $path
        $failure.Exception.Errors.Count | Should -Be 3
        "$failure" | Should -Match 'bad\.json\(1,2\) \$\.imge: .*did you mean "image"\?'
        "$failure" | Should -Match 'bad\.json\(2,13\) \$\.command: '
    }

    It 'goes on after a bad file' {
        $bad = New-File b1.json '{}'
        $good = New-File b2.json $valid
        $tasks = @($bad, $good | Import-SisyphusTask -ErrorVariable failed -ErrorAction SilentlyContinue)
        $tasks.Count | Should -Be 1
        $failed.Count | Should -Be 1
    }

    It 'refuses <What>' -ForEach @(
        @{ What = 'an empty file'; Text = '' }
        @{ What = 'text that is not JSON'; Text = 'image: alpine' }
        @{ What = 'a number'; Text = '1' }
        @{ What = 'half a document'; Text = '{"image": "a", "command": ["x"' }
        @{ What = '10 MiB of JSON'; Text = '{"image": "' + ('a' * 10MB) + '", "command": ["x"]}' }
    ) {
        $path = New-File refused.json $Text
        $failure = Get-ErrorOf { Import-SisyphusTask $path }
        $failure.FullyQualifiedErrorId | Should -Be 'Sisyphus.InvalidDocument,Sisyphus.PowerShell.Commands.ImportSisyphusTaskCommand'
        $failure.CategoryInfo.Category | Should -Be 'InvalidData'
        $failure.TargetObject | Should -Be $path
        # The message is for a person.
        "$failure".Length | Should -BeLessThan 2000
    }

    It 'reports <What>' -ForEach @(
        @{ What = 'a file that is not there'; Path = 'missing.json' }
        @{ What = 'a drive that is not there'; Path = 'nosuchdrive:/x.json' }
    ) {
        $failure = Get-ErrorOf { Import-SisyphusTask $Path }
        $failure.FullyQualifiedErrorId | Should -Be 'Sisyphus.FileNotFound,Sisyphus.PowerShell.Commands.ImportSisyphusTaskCommand'
        $failure.CategoryInfo.Category | Should -Be 'ObjectNotFound'
        $failure.TargetObject | Should -Be $Path
    }

    It 'reports a path that is no file' {
        $failure = Get-ErrorOf { Import-SisyphusTask variable:PID }
        $failure.FullyQualifiedErrorId | Should -Be 'Sisyphus.NotAFileSystemPath,Sisyphus.PowerShell.Commands.ImportSisyphusTaskCommand'
        $failure.CategoryInfo.Category | Should -Be 'InvalidArgument'
    }

    It 'reports a folder' {
        $failure = Get-ErrorOf { Import-SisyphusTask $TestDrive }
        $failure.FullyQualifiedErrorId | Should -Be 'Sisyphus.FileNotAccessible,Sisyphus.PowerShell.Commands.ImportSisyphusTaskCommand'
    }
}

Describe 'Export-SisyphusTask' {
    It 'writes what Import-SisyphusTask reads' {
        $task = New-SisyphusTask -Image a -Command 'x y', '' -Input @{ 'b:ä' = '/in/ä' } -Name n
        $file = $task | Export-SisyphusTask "$TestDrive/x1.json" -PassThru
        $file.Name | Should -Be 'x1.json'
        (Import-SisyphusTask $file.FullName).Json | Should -Be $task.Json
        @(Get-ChildItem $TestDrive -Filter '.x1*' -Force).Count | Should -Be 0
    }

    It 'writes several tasks for one file as an array' {
        1..3 | New-SisyphusTask -Image a -Command { 'x', "$_" } | Export-SisyphusTask "$TestDrive/x2.json"
        @(Import-SisyphusTask "$TestDrive/x2.json" | ForEach-Object { "$($_.Commands[0])" }) -join ';' | Should -Be 'x 1;x 2;x 3'
    }

    It 'writes one file for each task into a folder' {
        1..3 | New-SisyphusTask -Image a -Command x -Name { "t/$_" } | Export-SisyphusTask "$TestDrive/folder/"
        @(Get-ChildItem "$TestDrive/folder" | ForEach-Object Name) -join ' ' | Should -Be 't_1.json t_2.json t_3.json'
    }

    It 'computes the path of each task' {
        1..2 | New-SisyphusTask -Image a -Command x -Name { "n$_" } | Export-SisyphusTask -Path { "$TestDrive/by-$($_.Name).json" }
        (Import-SisyphusTask "$TestDrive/by-n2.json").Name | Should -Be 'n2'
    }

    It 'writes hashtables and text' {
        @{ Image = 'a'; Command = @('x'); Env = @{ FooBar = '1' } }, $valid | Export-SisyphusTask "$TestDrive/x3.json"
        (Import-SisyphusTask "$TestDrive/x3.json")[0].Json | Should -Be '{"image":"a","command":["x"],"env":{"FooBar":"1"}}'
    }

    It 'does not put a file in the place of a pipe' -Skip:$IsWindows {
        mkfifo "$TestDrive/pipe.json"
        $failure = Get-ErrorOf { New-SisyphusTask -Image a -Command x | Export-SisyphusTask "$TestDrive/pipe.json" }
        $failure.FullyQualifiedErrorId | Should -Be 'Sisyphus.FileNotWritten,Sisyphus.PowerShell.Commands.ExportSisyphusTaskCommand'
        "$failure" | Should -Match 'no regular file'
        test -p "$TestDrive/pipe.json"
        $LASTEXITCODE | Should -Be 0
    }

    It 'writes nothing with -WhatIf' {
        New-SisyphusTask -Image a -Command x | Export-SisyphusTask "$TestDrive/whatif.json" -WhatIf
        Test-Path "$TestDrive/whatif.json" | Should -Be $false
    }

    It 'replaces a file, and not with -NoClobber' {
        $path = New-File clobber.json 'old'
        $failure = Get-ErrorOf { New-SisyphusTask -Image a -Command x | Export-SisyphusTask $path -NoClobber }
        $failure.FullyQualifiedErrorId | Should -Be 'Sisyphus.FileExists,Sisyphus.PowerShell.Commands.ExportSisyphusTaskCommand'
        $failure.CategoryInfo.Category | Should -Be 'ResourceExists'
        [IO.File]::ReadAllText($path) | Should -Be 'old'
        New-SisyphusTask -Image a -Command x | Export-SisyphusTask $path
        (Import-SisyphusTask $path).Image | Should -Be 'a'
    }

    It 'replaces a read-only file only with -Force' {
        $path = New-File readonly.json 'old'
        ([IO.FileInfo]$path).IsReadOnly = $true
        $failure = Get-ErrorOf { New-SisyphusTask -Image a -Command x | Export-SisyphusTask $path }
        $failure.FullyQualifiedErrorId | Should -Be 'Sisyphus.FileNotWritten,Sisyphus.PowerShell.Commands.ExportSisyphusTaskCommand'
        $failure.CategoryInfo.Category | Should -Be 'PermissionDenied'
        New-SisyphusTask -Image a -Command x | Export-SisyphusTask $path -Force
        (Import-SisyphusTask $path).Image | Should -Be 'a'
    }

    It 'refuses what is no task' {
        $failure = Get-ErrorOf { 7 | Export-SisyphusTask "$TestDrive/seven.json" }
        $failure.FullyQualifiedErrorId | Should -Be 'Sisyphus.InvalidDocument,Sisyphus.PowerShell.Commands.ExportSisyphusTaskCommand'
        $failure.TargetObject | Should -Be 7
        Test-Path "$TestDrive/seven.json" | Should -Be $false
    }
}

Describe 'Test-SisyphusTask' {
    It 'finds <What> valid: <Expected>' -ForEach @(
        @{ What = 'text'; Value = '{"image": "a", "command": ["x"]}'; Expected = $true }
        @{ What = 'bad text'; Value = '{"image": "a"}'; Expected = $false }
        @{ What = 'a hashtable'; Value = @{ image = 'a'; command = @('x') }; Expected = $true }
        @{ What = 'an object'; Value = [pscustomobject]@{ image = 'a'; command = @('x') }; Expected = $true }
        @{ What = 'a number'; Value = 7; Expected = $false }
    ) {
        ($Value | Test-SisyphusTask).IsValid | Should -Be $Expected
        ($Value | Test-SisyphusTask -Quiet) | Should -Be $Expected
    }

    It 'has a result for each document' {
        $results = @(Test-SisyphusTask -InputObject "[$valid, {`"image`": `"a`"}]")
        @($results | ForEach-Object IsValid) -join ' ' | Should -Be 'True False'
        @($results | ForEach-Object Index) -join ' ' | Should -Be '0 1'
    }

    It 'tests files by path, from the pipeline and by wildcard' {
        $good = New-File t1.json $valid
        $bad = New-File t2.json "{`n`"image`": `"a`"}"
        (Test-SisyphusTask $good).IsValid | Should -Be $true
        ($bad | Test-SisyphusTask).Errors[0].Line | Should -Be 1
        @(Get-ChildItem $TestDrive -Filter 't?.json' | Test-SisyphusTask -Quiet) -join ' ' | Should -Be 'True False'
        @(Test-SisyphusTask "$TestDrive/t[12].json").Count | Should -Be 2
        (Test-SisyphusTask $bad).Source | Should -Be $bad
    }

    It 'reports a file that is not there' {
        (Get-ErrorOf { Test-SisyphusTask "$TestDrive/none.json" }).FullyQualifiedErrorId | Should -Be 'Sisyphus.FileNotFound,Sisyphus.PowerShell.Commands.TestSisyphusTaskCommand'
    }
}

Describe 'A task that went through serialization' {
    It 'is the same task' {
        $task = New-SisyphusTask -Image a -Command @('x', 'y z'), @('w') -Input @{ 'b:k' = '/k' } -Environment @{ A = '1' }
        $serializer = [System.Management.Automation.PSSerializer]
        $copy = $serializer::Deserialize($serializer::Serialize($task, 1))
        $copy.PSTypeNames[0] | Should -Match '^Deserialized'
        $copy | Export-SisyphusTask "$TestDrive/copy.json"
        (Import-SisyphusTask "$TestDrive/copy.json").Json | Should -Be $task.Json
    }
}
