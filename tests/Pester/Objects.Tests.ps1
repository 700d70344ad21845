BeforeAll {
    . "$PSScriptRoot/common.ps1"
    Use-TestUser "$TestDrive/user"

    function New-File([string] $Name, [string] $Text) {
        $path = Join-Path $TestDrive $Name
        $null = [IO.Directory]::CreateDirectory([IO.Path]::GetDirectoryName($path))
        [IO.File]::WriteAllText($path, $Text)
        $path
    }
}

Describe 'Copy-SisyphusObject' {
    It 'copies a file to a key' {
        $object = Copy-SisyphusObject (New-File a.txt 'hello') demo:data/clear -PassThru
        "$($object.RemotePath) $($object.Size) $($object.Crc32C)" | Should -Be 'demo:data/clear 5 9a71bb4c'
    }

    It 'copies a file below a prefix, by its name' {
        (Copy-SisyphusObject (New-File b.txt 'x') demo:pre/ -PassThru).Key | Should -Be 'pre/b.txt'
        (Copy-SisyphusObject (New-File b.txt 'x') demo: -PassThru).Key | Should -Be 'b.txt'
    }

    It 'copies a folder and a prefix with -Recurse, keeping the paths below it' {
        $null = New-File 'tree/one' '1'
        $null = New-File 'tree/sub dir/ä%[x].txt' '2'
        @(Copy-SisyphusObject "$TestDrive/tree" trees:t/ -Recurse -PassThru | ForEach-Object Key | Sort-Object) -join ' ' | Should -Be 't/one t/sub dir/ä%[x].txt'
        $files = @(Copy-SisyphusObject trees:t/ "$TestDrive/back" -Recurse -PassThru)
        $files.Count | Should -Be 2
        [IO.File]::ReadAllText("$TestDrive/back/sub dir/ä%[x].txt") | Should -Be '2'
        @(Get-ChildItem "$TestDrive/back" -Recurse -Force -Filter '.sisyphus*').Count | Should -Be 0
    }

    It 'leaves out the markers of directories where it copies to a folder' {
        $null = New-File 'marked/bucket/a/b/one' '1'
        # The objects a/ and a/b/: docs/stores.md, "Keys that are no file names".
        '%2F', 'b/%2F' | ForEach-Object { $null = New-File "marked/bucket/a/$_" '' }
        @(Get-SisyphusObject bucket: -Store "$TestDrive/marked" | ForEach-Object Key) -join ' ' | Should -Be 'a/ a/b/ a/b/one'
        @(Copy-SisyphusObject bucket:a/ "$TestDrive/unmarked" -Recurse -PassThru -Store "$TestDrive/marked" -ErrorAction Stop | ForEach-Object Name) -join ' ' | Should -Be 'one'
        @(Copy-SisyphusObject bucket:a/ below:x/ -Recurse -PassThru -Store "$TestDrive/marked" -ErrorAction Stop | ForEach-Object Key | Sort-Object) -join ' ' | Should -Be 'x/ x/b/ x/b/one'
        # A bucket has no name that a marker could have.
        @(Copy-SisyphusObject bucket:a/ whole: -Recurse -PassThru -Store "$TestDrive/marked" -ErrorAction Stop | ForEach-Object Key | Sort-Object) -join ' ' | Should -Be 'b/ b/one'
    }

    It 'copies the other files of a folder in which one can not be named' -Skip:$IsWindows {
        $null = New-File 'unnamed/one' '1'
        Push-Location "$TestDrive/unnamed"
        try {
            # No UTF-8. (Some file systems refuse such a name.)
            sh -c 'echo > "$(printf "x\377")"'
            $copied = @(Copy-SisyphusObject . unnamed: -Recurse -PassThru -ErrorAction SilentlyContinue -ErrorVariable failures)
        }
        finally {
            Pop-Location
            rm -r "$TestDrive/unnamed"
        }
        $copied.Key | Should -Be 'one'
        @($failures).Count | Should -Be 1
        $failures[0].FullyQualifiedErrorId | Should -Be 'Sisyphus.TransferFailed,Sisyphus.PowerShell.Commands.CopySisyphusObjectCommand'
    }

    It 'puts nothing in the place of a pipe' -Skip:$IsWindows {
        $null = Copy-SisyphusObject (New-File one '1') demo:one
        mkfifo "$TestDrive/apipe"
        $failure = Get-ErrorOf { Copy-SisyphusObject demo:one "$TestDrive/apipe" }
        $failure.FullyQualifiedErrorId | Should -Be 'Sisyphus.FileNotWritten,Sisyphus.PowerShell.Commands.CopySisyphusObjectCommand'
        test -p "$TestDrive/apipe"
        $LASTEXITCODE | Should -Be 0
    }

    It 'copies what a wildcard matches, on either side' {
        'w1.x', 'w2.x', 'w3.y' | ForEach-Object { $null = New-File "wild/$_" $_ }
        @(Copy-SisyphusObject "$TestDrive/wild/*.x" wild:in/ -PassThru).Count | Should -Be 2
        @(Copy-SisyphusObject wild:in/w*.x "$TestDrive/fetched/" -PassThru | ForEach-Object Name | Sort-Object) -join ' ' | Should -Be 'w1.x w2.x'
    }

    It 'copies an object to a file, into a folder and to another bucket' {
        $null = Copy-SisyphusObject (New-File c.txt 'content') demo:c/object
        (Copy-SisyphusObject demo:c/object "$TestDrive/named.txt" -PassThru).Name | Should -Be 'named.txt'
        $null = New-Item -ItemType Directory "$TestDrive/existing"
        (Copy-SisyphusObject demo:c/object "$TestDrive/existing" -PassThru).Name | Should -Be 'object'
        (Copy-SisyphusObject demo:c/object other:copy -PassThru).RemotePath | Should -Be 'other:copy'
        (Copy-SisyphusObject demo:c/object demo:c/second -PassThru).Size | Should -Be 7
        [IO.File]::ReadAllText("$TestDrive/existing/object") | Should -Be 'content'
    }

    It 'takes objects and files from the pipeline' {
        $null = New-File 'piped/p1' '1'
        $null = New-File 'piped/p[2]' '2'
        @(Get-ChildItem "$TestDrive/piped" | Copy-SisyphusObject -Destination piped: -PassThru).Count | Should -Be 2
        @(Get-SisyphusObject piped:* | Copy-SisyphusObject -Destination "$TestDrive/unpiped/" -PassThru | ForEach-Object Name | Sort-Object) -join ' ' | Should -Be 'p[2] p1'
    }

    It 'takes a path below the location of the session' {
        $null = New-File 'loc/f' 'x'
        Push-Location "$TestDrive/loc"
        try {
            (Copy-SisyphusObject f loc:k -PassThru).Size | Should -Be 1
            (Copy-SisyphusObject loc:k ./g -PassThru).FullName | Should -Be (Join-Path $TestDrive 'loc/g')
        }
        finally {
            Pop-Location
        }
    }

    It 'copies nothing with -WhatIf' {
        Copy-SisyphusObject (New-File d.txt 'x') whatif:d -WhatIf
        @(Get-SisyphusObject | Where-Object Name -EQ whatif).Count | Should -Be 0
    }

    It 'leaves out what is below the destination already where a wildcard matches that, too' {
        'n1', 'n2' | ForEach-Object { $null = Copy-SisyphusObject (New-File "wildnest/$_" $_) "wildnest:$_" }
        1..2 | ForEach-Object { @(Copy-SisyphusObject wildnest:* wildnest:z/ -PassThru | ForEach-Object Key | Sort-Object) -join ' ' | Should -Be 'z/n1 z/n2' }
        (Get-ErrorOf { Copy-SisyphusObject wildnest:z/* wildnest:z/ }).FullyQualifiedErrorId | Should -Be 'Sisyphus.InvalidCopy,Sisyphus.PowerShell.Commands.CopySisyphusObjectCommand'
    }

    It 'refuses to copy a prefix into itself' {
        $null = Copy-SisyphusObject (New-File n 'x') nest:a/n
        foreach ($destination in 'nest:z/', 'nest:') {
            $failure = Get-ErrorOf { Copy-SisyphusObject nest: $destination -Recurse }
            $failure.FullyQualifiedErrorId | Should -Be 'Sisyphus.InvalidCopy,Sisyphus.PowerShell.Commands.CopySisyphusObjectCommand'
        }
        @(Get-SisyphusObject nest:*).Count | Should -Be 1
        (Copy-SisyphusObject nest:a/ nest:b/ -Recurse -PassThru).Key | Should -Be 'b/n'
    }

    It 'replaces what is there, and not with -NoClobber' {
        $null = Copy-SisyphusObject (New-File e1 'first') over:k
        $failure = Get-ErrorOf { Copy-SisyphusObject (New-File e2 'second!') over:k -NoClobber }
        $failure.FullyQualifiedErrorId | Should -Be 'Sisyphus.FileExists,Sisyphus.PowerShell.Commands.CopySisyphusObjectCommand'
        $failure.CategoryInfo.Category | Should -Be 'ResourceExists'
        (Get-SisyphusObject over:k).Size | Should -Be 5
        $null = Copy-SisyphusObject (New-File e2 'second!') over:k
        (Get-SisyphusObject over:k).Size | Should -Be 7
    }

    It 'reports <What>' -ForEach @(
        @{ What = 'an object that is not there'; Path = 'demo:none'; Destination = './x'; Id = 'ObjectNotFound'; Category = 'ObjectNotFound' }
        @{ What = 'a bucket that is not there'; Path = 'none:k'; Destination = './x'; Id = 'ObjectNotFound'; Category = 'ObjectNotFound' }
        @{ What = 'a file that is not there'; Path = './none'; Destination = 'demo:x'; Id = 'FileNotFound'; Category = 'ObjectNotFound' }
        @{ What = 'two local paths'; Path = './a'; Destination = './b'; Id = 'InvalidCopy'; Category = 'InvalidArgument' }
        @{ What = 'a folder without -Recurse'; Path = '.'; Destination = 'demo:x/'; Id = 'InvalidCopy'; Category = 'InvalidArgument' }
        @{ What = 'a prefix without -Recurse'; Path = 'demo:'; Destination = './x/'; Id = 'InvalidCopy'; Category = 'InvalidArgument' }
        @{ What = 'many objects for one name'; Path = 'demo:*'; Destination = 'demo:one'; Id = 'InvalidCopy'; Category = 'InvalidArgument' }
        @{ What = 'a key with ..'; Path = 'demo:../x'; Destination = './x'; Id = 'InvalidRemotePath'; Category = 'InvalidArgument' }
    ) {
        $failure = Get-ErrorOf { Copy-SisyphusObject $Path $Destination }
        $failure.FullyQualifiedErrorId | Should -Be "Sisyphus.$Id,Sisyphus.PowerShell.Commands.CopySisyphusObjectCommand"
        $failure.CategoryInfo.Category | Should -Be $Category
    }
}

Describe 'Get-SisyphusObject' {
    BeforeAll {
        foreach ($key in 'x/1', 'x/2', 'y/1', '.sisyphus/t/published.json') {
            $null = Copy-SisyphusObject (New-File o 'o') "list:$key"
        }
    }

    It 'lists buckets' {
        $bucket = Get-SisyphusObject | Where-Object Name -EQ list
        $bucket.RemotePath | Should -Be 'list:'
        $bucket.Location | Should -Match '^file:///'
    }

    It 'finds <Expected> with <Path>' -ForEach @(
        @{ Path = 'list:'; Expected = 'x/1 x/2 y/1' }
        @{ Path = 'list:x/'; Expected = 'x/1 x/2' }
        @{ Path = 'list:x/1'; Expected = 'x/1' }
        @{ Path = 'list:*1'; Expected = 'x/1 y/1' }
        @{ Path = 'list:[y]/?'; Expected = 'y/1' }
        @{ Path = 'list:.sisyphus/'; Expected = '.sisyphus/t/published.json' }
        @{ Path = 'list:none*'; Expected = '' }
    ) {
        @(Get-SisyphusObject $Path | ForEach-Object Key) -join ' ' | Should -Be $Expected
    }

    It 'includes what the engine keeps with -Force' {
        @(Get-SisyphusObject list: -Force).Count | Should -Be 4
    }

    It 'completes buckets and keys' {
        $text = 'Get-SisyphusObject li'
        (TabExpansion2 $text $text.Length).CompletionMatches.CompletionText | Should -Be 'list:'
        $text = 'Get-SisyphusObject list:'
        @((TabExpansion2 $text $text.Length).CompletionMatches.CompletionText) -join ' ' | Should -Be 'list:x/ list:y/'
    }

    It 'reports <What>' -ForEach @(
        @{ What = 'an object that is not there'; Path = 'list:none'; Id = 'ObjectNotFound'; Category = 'ObjectNotFound' }
        @{ What = 'a bucket that is not there'; Path = 'nobucket:'; Id = 'ObjectNotFound'; Category = 'ObjectNotFound' }
        @{ What = 'what is no remote path'; Path = 'nobucket'; Id = 'InvalidRemotePath'; Category = 'InvalidArgument' }
    ) {
        $failure = Get-ErrorOf { Get-SisyphusObject $Path }
        $failure.FullyQualifiedErrorId | Should -Be "Sisyphus.$Id,Sisyphus.PowerShell.Commands.GetSisyphusObjectCommand"
        $failure.CategoryInfo.Category | Should -Be $Category
        $failure.TargetObject | Should -Be $Path
    }
}

Describe 'A store that does not answer' {
    It 'is one error of <Name>' -ForEach @(
        @{ Name = 'Get-SisyphusObject'; Command = { Get-SisyphusObject some:k -Store $store } }
        @{ Name = 'Copy-SisyphusObject'; Command = { Copy-SisyphusObject some:k "$TestDrive/x" -Store $store } }
        @{ Name = 'Remove-SisyphusObject'; Command = { Remove-SisyphusObject some:k -Store $store } }
        @{ Name = 'Get-SisyphusTask'; Command = { Get-SisyphusTask x -Bucket some -Store $store } }
    ) {
        $store = 'gs:?endpoint=http://127.0.0.1:1'
        $problems = @(& $Command 2>&1)
        $problems.Count | Should -Be 1
        $problems[0].FullyQualifiedErrorId | Should -Match '^Sisyphus\.TransferFailed,'
        "$($problems[0])" | Should -Match 'some:.*refused'
    }
}

Describe 'Remove-SisyphusObject' {
    BeforeEach {
        foreach ($key in 'x/1', 'x/2', 'y/[1]', 'z', '.sisyphus/t/published.json') {
            $null = Copy-SisyphusObject (New-File o 'o') "gone:$key"
        }
        function Get-Key { @(Get-SisyphusObject gone: -Force | ForEach-Object Key) -join ' ' }
    }

    It 'deletes <Path> and leaves the rest' -ForEach @(
        @{ Path = 'gone:z'; Left = '.sisyphus/t/published.json x/1 x/2 y/[1]' }
        @{ Path = 'gone:x/*'; Left = '.sisyphus/t/published.json y/[1] z' }
        @{ Path = 'gone:x/'; Recurse = $true; Left = '.sisyphus/t/published.json y/[1] z' }
        @{ Path = 'gone:'; Recurse = $true; Left = '.sisyphus/t/published.json' }
        @{ Path = 'gone:'; Recurse = $true; Force = $true; Left = '' }
        @{ Path = 'gone:.sisyphus/t/'; Recurse = $true; Left = 'x/1 x/2 y/[1] z' }
        @{ Path = 'gone:none/'; Recurse = $true; Left = '.sisyphus/t/published.json x/1 x/2 y/[1] z' }
    ) {
        Remove-SisyphusObject $Path -Recurse:([bool] $Recurse) -Force:([bool] $Force) -ErrorAction Stop | Should -BeNullOrEmpty
        Get-Key | Should -Be $Left
    }

    It 'takes a literal path, and objects from the pipeline' {
        Remove-SisyphusObject -LiteralPath 'gone:y/[1]'
        Get-SisyphusObject gone:x/ | Remove-SisyphusObject
        Get-Key | Should -Be '.sisyphus/t/published.json z'
    }

    It 'deletes nothing with -WhatIf' {
        Remove-SisyphusObject gone: -Recurse -WhatIf
        Get-Key | Should -Be '.sisyphus/t/published.json x/1 x/2 y/[1] z'
    }

    It 'reports <What>' -ForEach @(
        @{ What = 'an object that is not there'; Path = 'gone:none'; Id = 'ObjectNotFound'; Category = 'ObjectNotFound' }
        @{ What = 'a prefix without -Recurse'; Path = 'gone:x/'; Id = 'InvalidRemoval'; Category = 'InvalidArgument' }
        @{ What = 'no remote path'; Path = './x'; Id = 'InvalidRemotePath'; Category = 'InvalidArgument' }
    ) {
        $failure = Get-ErrorOf { Remove-SisyphusObject $Path }
        $failure.FullyQualifiedErrorId | Should -Be "Sisyphus.$Id,Sisyphus.PowerShell.Commands.RemoveSisyphusObjectCommand"
        $failure.CategoryInfo.Category | Should -Be $Category
        Get-Key | Should -Be '.sisyphus/t/published.json x/1 x/2 y/[1] z'
    }
}
