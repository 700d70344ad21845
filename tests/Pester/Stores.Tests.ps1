BeforeDiscovery {
    . "$PSScriptRoot/common.ps1"
    $noEngine = -not (New-TestImage)
    $services = @(
        @{ Service = 'Google Cloud Storage'; Emulator = @(); Scheme = 'gs'; Location = 'gs:' }
        @{ Service = 'S3'; Emulator = @('s3'); Scheme = 's3'; Location = 's3:' }
    )
    # Microsoft's emulator is a package of npm.
    if ((Get-Command node -CommandType Application -ErrorAction SilentlyContinue) -and (Get-Command npm -CommandType Application -ErrorAction SilentlyContinue)) {
        $services += @{ Service = 'Azure Blob Storage'; Scheme = 'az'; Location = 'az:devstoreaccount1' }
    }
}

BeforeAll {
    . "$PSScriptRoot/common.ps1"
    Use-TestUser "$TestDrive/user"
    $image = 'sisyphus-pester:busybox'
    # The emulator's own, which only it knows.
    $secrets = @{
        AWS_ACCESS_KEY_ID     = 'EMULATORACCESSKEY001'
        AWS_SECRET_ACCESS_KEY = 'emulator/secret+key'
        # Public: https://learn.microsoft.com/azure/storage/common/storage-use-azurite#well-known-storage-account-and-key
        AZURE_STORAGE_KEY     = 'Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=='
    }
    $before = @{}
    foreach ($name in $secrets.Keys) {
        $before[$name] = [Environment]::GetEnvironmentVariable($name)
        [Environment]::SetEnvironmentVariable($name, $secrets[$name])
    }

    # A service in a process of its own, with these buckets; the first line that it writes is its address.
    function Start-Emulator([string[]] $Arguments) {
        $built = @('Debug', 'Release') | ForEach-Object { "$PSScriptRoot/../StoreEmulator/bin/$_/net10.0/Sisyphus.Tests.StoreEmulator.dll" } |
            Where-Object { Test-Path $_ } | Sort-Object { [IO.File]::GetLastWriteTimeUtc($_) } | Select-Object -Last 1
        if (-not $built) { throw 'The emulator is not built: dotnet build Sisyphus.sln' }
        $start = [Diagnostics.ProcessStartInfo]::new('dotnet')
        $start.RedirectStandardOutput = $true
        foreach ($argument in @($built) + $Arguments) { $start.ArgumentList.Add($argument) }
        [Diagnostics.Process]::Start($start)
    }

    # Azurite, of the folder that the tests of the engine keep it in, with these containers.
    function Start-Azurite([string] $Data, [string[]] $Containers) {
        $version = '3.37.0'
        $folder = Join-Path $HOME ".cache/sisyphus-tests/azurite-$version"
        if (-not (Test-Path $folder)) {
            $unfinished = "$folder.$([guid]::NewGuid())"
            $null = [IO.Directory]::CreateDirectory($unfinished)
            npm install --prefix $unfinished --no-audit --no-fund --silent --ignore-scripts "azurite@$version" | Out-Null
            if ($LASTEXITCODE -ne 0) { throw "npm can't install azurite." }
            [IO.Directory]::Move($unfinished, $folder)
        }
        $start = [Diagnostics.ProcessStartInfo]::new('node')
        $start.RedirectStandardOutput = $true
        foreach ($argument in "$folder/node_modules/azurite/dist/src/blob/main.js", '--blobHost', '127.0.0.1', '--blobPort', '0', '--location', $Data, '--silent', '--skipApiVersionCheck', '--disableTelemetry') {
            $start.ArgumentList.Add($argument)
        }
        $process = [Diagnostics.Process]::Start($start)
        do { $line = $process.StandardOutput.ReadLine() } until ($null -eq $line -or $line -match 'listens on (http://\S+)')
        if ($null -eq $line) { throw 'Azurite has ended before it listened.' }
        $address = "$($Matches[1])/devstoreaccount1"
        foreach ($container in $Containers) { New-AzureContainer $address $container }
        @{ Process = $process; Address = $address }
    }

    # https://learn.microsoft.com/rest/api/storageservices/authorize-with-shared-key: no cmdlet of the module makes buckets.
    function New-AzureContainer([string] $Address, [string] $Name) {
        $headers = @{ 'x-ms-date' = [DateTime]::UtcNow.ToString('R'); 'x-ms-version' = '2021-10-04' }
        $account = 'devstoreaccount1'
        $signed = "PUT$("`n" * 12)x-ms-date:$($headers['x-ms-date'])`nx-ms-version:$($headers['x-ms-version'])`n/$account/$account/$Name`nrestype:container"
        $hmac = [Security.Cryptography.HMACSHA256]::new([Convert]::FromBase64String($secrets.AZURE_STORAGE_KEY))
        $request = [Net.Http.HttpRequestMessage]::new('PUT', "$Address/${Name}?restype=container")
        foreach ($name in $headers.Keys) { $request.Headers.Add($name, $headers[$name]) }
        $signature = [Convert]::ToBase64String($hmac.ComputeHash([Text.Encoding]::UTF8.GetBytes($signed)))
        $request.Headers.Authorization = [Net.Http.Headers.AuthenticationHeaderValue]::new('SharedKey', "${account}:$signature")
        $client = [Net.Http.HttpClient]::new()
        try {
            $null = $client.SendAsync($request).GetAwaiter().GetResult().EnsureSuccessStatusCode()
        }
        finally {
            $client.Dispose()
        }
    }

    function New-File([string] $Name, [string] $Text) {
        $path = Join-Path $TestDrive $Name
        $null = [IO.Directory]::CreateDirectory([IO.Path]::GetDirectoryName($path))
        [IO.File]::WriteAllText($path, $Text)
        $path
    }
}

AfterAll {
    foreach ($name in $before.Keys) { [Environment]::SetEnvironmentVariable($name, $before[$name]) }
    if (Get-Command docker -CommandType Application -ErrorAction SilentlyContinue) {
        docker rmi -f sisyphus-pester:busybox 2>&1 | Out-Null
    }
}

Describe 'Objects in <Service>' -ForEach $services {
    BeforeAll {
        $buckets = 'lab', 'other', 'gone', 'records'
        if ($Scheme -eq 'az') {
            $azurite = Start-Azurite "$TestDrive/azurite" $buckets
            $server = $azurite.Process
            $address = $azurite.Address
        }
        else {
            $server = Start-Emulator ($Emulator + $buckets)
            $address = $server.StandardOutput.ReadLine().TrimEnd('/')
        }
        Connect-Sisyphus -Store "${Location}?endpoint=$address"
        $null = New-File 'tree/one' 'hello'
        $null = New-File 'tree/sub dir/ä%[x].txt' '22'
        $null = New-File 'tree/w1.x' '1'
    }

    AfterAll {
        $server.Kill()
        $server.WaitForExit()
        Connect-Sisyphus
    }

    It 'copies a file to a key and back, with a checksum' {
        $object = Copy-SisyphusObject "$TestDrive/tree/one" lab:data/clear -PassThru
        "$($object.RemotePath) $($object.Size) $($object.Crc32C)" | Should -Be 'lab:data/clear 5 9a71bb4c'
        $found = Get-SisyphusObject lab:data/clear
        "$($found.Key) $($found.Size) $($found.Crc32C)" | Should -Be 'data/clear 5 9a71bb4c'
        $file = Copy-SisyphusObject lab:data/clear "$TestDrive/back-$Scheme" -PassThru
        [IO.File]::ReadAllText($file.FullName) | Should -Be 'hello'
    }

    It 'copies a folder, a prefix and what a wildcard matches' {
        @(Copy-SisyphusObject "$TestDrive/tree" lab:t/ -Recurse -PassThru | ForEach-Object Key | Sort-Object) -join ' ' | Should -Be 't/one t/sub dir/ä%[x].txt t/w1.x'
        @(Copy-SisyphusObject lab:t/ "$TestDrive/$Scheme" -Recurse -PassThru).Count | Should -Be 3
        [IO.File]::ReadAllText("$TestDrive/$Scheme/sub dir/ä%[x].txt") | Should -Be '22'
        @(Copy-SisyphusObject lab:t/w*.x "$TestDrive/$Scheme-wild/" -PassThru | ForEach-Object Name) -join ' ' | Should -Be 'w1.x'
        (Copy-SisyphusObject lab:t/one other:copy -PassThru).RemotePath | Should -Be 'other:copy'
        @(Get-SisyphusObject lab:t/* | ForEach-Object Key | Sort-Object) -join ' ' | Should -Be 't/one t/sub dir/ä%[x].txt t/w1.x'
        @(Get-SisyphusObject lab:t/[ow]* | ForEach-Object Key | Sort-Object) -join ' ' | Should -Be 't/one t/w1.x'
    }

    It 'does not replace an object with -NoClobber' {
        $null = Copy-SisyphusObject "$TestDrive/tree/one" other:kept
        $failure = Get-ErrorOf { Copy-SisyphusObject "$TestDrive/tree/w1.x" other:kept -NoClobber }
        $failure.FullyQualifiedErrorId | Should -Be 'Sisyphus.FileExists,Sisyphus.PowerShell.Commands.CopySisyphusObjectCommand'
        $failure.CategoryInfo.Category | Should -Be 'ResourceExists'
        (Get-SisyphusObject other:kept).Size | Should -Be 5
    }

    It 'removes what is named, after -WhatIf has removed nothing' {
        $null = Copy-SisyphusObject "$TestDrive/tree" gone:t/ -Recurse
        Remove-SisyphusObject gone: -Recurse -WhatIf
        @(Get-SisyphusObject gone:).Count | Should -Be 3
        Remove-SisyphusObject gone:t/w* -Confirm:$false | Should -BeNullOrEmpty
        @(Get-SisyphusObject gone: | ForEach-Object Key | Sort-Object) -join ' ' | Should -Be 't/one t/sub dir/ä%[x].txt'
        Get-SisyphusObject gone:t/ | Remove-SisyphusObject
        @(Get-SisyphusObject gone: -Force).Count | Should -Be 0
    }

    It 'asks before it removes with -Confirm, and a host that can not ask removes nothing' {
        $null = Copy-SisyphusObject "$TestDrive/tree/one" gone:asked
        $shell = [powershell]::Create([System.Management.Automation.Runspaces.InitialSessionState]::CreateDefault2())
        try {
            $null = $shell.AddScript("Import-Module '$PSScriptRoot/../../Sisyphus.psd1'; Connect-Sisyphus -Store '${Location}?endpoint=$address'; Remove-SisyphusObject gone:asked -Confirm")
            $null = $shell.Invoke()
            "$($shell.Streams.Error)" | Should -Match 'prompt'
        }
        finally {
            $shell.Dispose()
        }
        (Get-SisyphusObject gone:asked).Size | Should -Be 5
    }

    It 'reports <What>' -ForEach @(
        @{ What = 'an object that is not there'; Command = { Get-SisyphusObject lab:none }; Id = 'ObjectNotFound'; Category = 'ObjectNotFound' }
        @{ What = 'a bucket that is not there'; Command = { Get-SisyphusObject nowhere: }; Id = 'ObjectNotFound'; Category = 'ObjectNotFound' }
        @{ What = 'a copy of what is not there'; Command = { Copy-SisyphusObject lab:none "$TestDrive/none" }; Id = 'ObjectNotFound'; Category = 'ObjectNotFound' }
        @{ What = 'a copy into a bucket that is not there'; Command = { Copy-SisyphusObject "$TestDrive/tree/one" nowhere:k }; Id = 'ObjectNotFound'; Category = 'ObjectNotFound' }
        @{ What = 'the removal of what is not there'; Command = { Remove-SisyphusObject lab:none }; Id = 'ObjectNotFound'; Category = 'ObjectNotFound' }
        @{ What = 'the removal of a prefix without -Recurse'; Command = { Remove-SisyphusObject lab:t/ }; Id = 'InvalidRemoval'; Category = 'InvalidArgument' }
        @{ What = 'the records of a bucket that is not there'; Command = { Get-SisyphusTask -Bucket nowhere }; Id = 'ObjectNotFound'; Category = 'ObjectNotFound' }
        @{ What = 'a task that left no record'; Command = { Get-SisyphusTask none -Bucket lab }; Id = 'TaskNotFound'; Category = 'ObjectNotFound' }
    ) {
        $failure = Get-ErrorOf $Command
        $failure.FullyQualifiedErrorId | Should -Match "^Sisyphus\.$Id,"
        $failure.CategoryInfo.Category | Should -Be $Category
    }

    It 'reads back from a bucket what became of tasks' -Tag Docker -Skip:$noEngine {
        $null = Copy-SisyphusObject "$TestDrive/tree/one" records:in/a
        $ok = New-SisyphusTask -Image $image -Command cat, /in/a -Input @{ 'records:in/a' = '/in/a' } -Output @{ 'records:out/a' = '>' } | Invoke-SisyphusTask
        $bad = New-SisyphusTask -Image $image -Command false -Output @{ 'records:out/b' = '>' } | Invoke-SisyphusTask -ErrorAction SilentlyContinue
        $record = Get-SisyphusTask $ok.Id -Bucket records
        "$($record.State) $($record.Record) $($record.Inputs[0].RemotePath)" | Should -Be "Complete $($ok.Record) records:in/a"
        $record.Outputs[0].Sha256 | Should -Be '2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824'
        ($bad | Get-SisyphusTask -Bucket records:).Reason | Should -Be 'ExecutorExit'
        @(Get-SisyphusTask -Bucket records | ForEach-Object Id | Sort-Object) -join ' ' | Should -Be (@($ok.Id, $bad.Id | Sort-Object) -join ' ')
    }
}

Describe 'Files of the web' {
    BeforeAll {
        $server = Start-Emulator 'web', 'data/one=hello', 'data/w[1].x=1'
        $address = $server.StandardOutput.ReadLine().TrimEnd('/')
        Connect-Sisyphus -Store "$TestDrive/store"
    }

    AfterAll {
        $server.Kill()
        $server.WaitForExit()
        Connect-Sisyphus
    }

    It 'says what is there' {
        $object = Get-SisyphusObject "$address/data/one"
        "$($object.RemotePath) $($object.Size)" | Should -Be "$address/data/one 5"
    }

    It 'takes an address as it is written, without wildcards' {
        (Get-SisyphusObject "$address/data/w[1].x").Size | Should -Be 1
    }

    It 'copies one to a file, into a folder and to a store' {
        $null = Copy-SisyphusObject "$address/data/one" "$TestDrive/web-one"
        [IO.File]::ReadAllText("$TestDrive/web-one") | Should -Be 'hello'
        (Copy-SisyphusObject "$address/data/one" "$TestDrive/web/" -PassThru).FullName | Should -Be (Join-Path $TestDrive web one)
        $object = Get-SisyphusObject "$address/data/one" | Copy-SisyphusObject -Destination lab:from/web -PassThru
        "$($object.RemotePath) $($object.Size) $($object.Crc32C)" | Should -Be 'lab:from/web 5 9a71bb4c'
    }

    It 'refuses <What>' -ForEach @(
        @{ What = 'to remove one'; Command = { Remove-SisyphusObject "$address/data/one" }; Id = 'InvalidDocument'; Category = 'InvalidData'; Says = 'inputs only' }
        @{ What = 'to write one'; Command = { Copy-SisyphusObject "$TestDrive/tree/one" "$address/data/new" }; Id = 'InvalidDocument'; Category = 'InvalidData'; Says = 'inputs only' }
        @{ What = 'to list them'; Command = { Get-SisyphusObject "$address/data/" }; Id = 'InvalidDocument'; Category = 'InvalidData'; Says = 'no lists of files' }
        @{ What = 'to copy what it can not list'; Command = { Copy-SisyphusObject "$address/data/" "$TestDrive/all" -Recurse }; Id = 'InvalidDocument'; Category = 'InvalidData'; Says = 'no lists of files' }
        @{ What = 'to remove everything below an address'; Command = { Remove-SisyphusObject "$address/data/" -Recurse }; Id = 'InvalidDocument'; Category = 'InvalidData'; Says = 'no lists of files' }
        @{ What = 'to get what is not there'; Command = { Get-SisyphusObject "$address/data/none" }; Id = 'ObjectNotFound'; Category = 'ObjectNotFound'; Says = 'no object' }
        @{ What = 'to copy what is not there'; Command = { Copy-SisyphusObject "$address/data/none" "$TestDrive/none" }; Id = 'ObjectNotFound'; Category = 'ObjectNotFound'; Says = 'no object' }
    ) {
        $null = New-File 'tree/one' 'hello'
        $failure = Get-ErrorOf $Command
        $failure.FullyQualifiedErrorId | Should -Match "^Sisyphus\.$Id,"
        $failure.CategoryInfo.Category | Should -Be $Category
        "$failure" | Should -Match $Says
        (Get-SisyphusObject "$address/data/one").Size | Should -Be 5
    }
}
