BeforeAll {
    . "$PSScriptRoot/common.ps1"

    function Get-Setting([string] $Name) {
        Get-SisyphusContext $Name
    }

    function New-Credential([string] $User) {
        $password = [securestring]::new()
        's3cr3t'.ToCharArray() | ForEach-Object { $password.AppendChar($_) }
        [pscredential]::new($User, $password)
    }

    # All that a script, a log or a person may see of an error.
    function Get-ErrorText([System.Management.Automation.ErrorRecord] $Failure) {
        "$Failure $($Failure.Exception) $($Failure.TargetObject) $($Failure.ErrorDetails)"
    }
}

Describe 'The settings' {
    BeforeEach {
        $user = Join-Path $TestDrive ([guid]::NewGuid())
        Use-TestUser $user
    }

    AfterAll {
        Use-TestUser $TestDrive
    }

    It 'have defaults in the places of the platform' -Skip:($IsWindows) {
        (Get-Setting Store).Value | Should -Be "$user/data/sisyphus/store"
        (Get-Setting WorkDirectory).Value | Should -Be "$user/cache/sisyphus/work"
        (Get-Setting Node).Value | Should -Be ([Environment]::MachineName)
        @(Get-SisyphusContext | ForEach-Object Source | Sort-Object -Unique) -join ' ' | Should -Be 'Default'
    }

    It 'come from the file, then the environment, then the session: <_>' -ForEach 'file', 'environment', 'session' {
        $file = "$user/config/sisyphus/settings.json"
        $null = [IO.Directory]::CreateDirectory("$user/config/sisyphus")
        [IO.File]::WriteAllText($file, '{"store": "file:///from/file", /* why not */ "node": "n-file", "storeMapping": {"one": "file:///file/one", "two": "file:///file/two"}}')
        $expected = @{ file = 'File'; environment = 'Environment'; session = 'Session' }
        $stage = $_
        if ($stage -ne 'file') {
            [Environment]::SetEnvironmentVariable('SISYPHUS_STORE', 'file:///from/environment')
            [Environment]::SetEnvironmentVariable('SISYPHUS_NODE', 'n-environment')
        }
        if ($stage -eq 'session') {
            Connect-Sisyphus -Store file:///from/session -Node n-session -StoreMapping @{ two = 'file:///session/two' }
        }
        $setting = Get-Setting Store
        $setting.Value | Should -Be "file:///from/$stage"
        $setting.Source | Should -Be $expected[$stage]
        $setting.Origin | Should -Be @{ file = $file; environment = 'SISYPHUS_STORE'; session = '' }[$stage]
        (Get-Setting Node).Value | Should -Be "n-$stage"
        # A mapping is taken bucket by bucket.
        (Get-Setting StoreMapping.one).Value | Should -Be 'file:///file/one'
        (Get-Setting StoreMapping.two).Value | Should -Be $(if ($stage -eq 'session') { 'file:///session/two' } else { 'file:///file/two' })
    }

    It 'of a session are replaced by the next Connect-Sisyphus' {
        Connect-Sisyphus -Store file:///one -Node n
        Connect-Sisyphus -Store file:///two
        (Get-Setting Store).Value | Should -Be 'file:///two'
        (Get-Setting Node).Source | Should -Be 'Default'
    }

    It 'take folders from the location of the session' {
        Push-Location $TestDrive
        try {
            Connect-Sisyphus -Store ./here -StoreMapping @{ b = './there' } -WorkDirectory ./work
        }
        finally {
            Pop-Location
        }
        (Get-Setting Store).Value | Should -Be (Join-Path $TestDrive here)
        (Get-Setting StoreMapping.b).Value | Should -Be (Join-Path $TestDrive there)
        (Get-Setting WorkDirectory).Value | Should -Be (Join-Path $TestDrive work)
    }

    It 'are shown by -PassThru and left alone by -WhatIf' {
        @(Connect-Sisyphus -Store file:///shown -PassThru | Where-Object Name -EQ Store)[0].Value | Should -Be 'file:///shown'
        Connect-Sisyphus -Store file:///other -WhatIf
        (Get-Setting Store).Value | Should -Be 'file:///shown'
    }

    It 'do not take a store that can''t be, and keep the one before' {
        Connect-Sisyphus -Store file:///kept
        $failure = Get-ErrorOf { Connect-Sisyphus -Store nosuch://store }
        $failure.FullyQualifiedErrorId | Should -Be 'Sisyphus.InvalidSetting,Sisyphus.PowerShell.Commands.ConnectSisyphusCommand'
        $failure.CategoryInfo.Category | Should -Be 'InvalidArgument'
        $failure.TargetObject | Should -Be 'nosuch://store'
        (Get-Setting Store).Value | Should -Be 'file:///kept'
    }

    It 'do not take a folder that is none' {
        (Get-ErrorOf { Connect-Sisyphus -WorkDirectory variable:x }).FullyQualifiedErrorId | Should -Be 'Sisyphus.NotAFileSystemPath,Sisyphus.PowerShell.Commands.ConnectSisyphusCommand'
    }

    It 'show no passwords' {
        Connect-Sisyphus -Engine tcp://me:secret@host:2376
        (Get-Setting Engine).Value | Should -Be 'tcp://***@host:2376'
    }

    It 'show no password of a broker, wherever it is set: <_>' -ForEach 'environment', 'file' {
        $address = 'amqp://me:s3cr3t@one,two:5673/lab?prefix=x'
        if ($_ -eq 'environment') {
            [Environment]::SetEnvironmentVariable('SISYPHUS_BROKER', $address)
        }
        else {
            $null = [IO.Directory]::CreateDirectory("$user/config/sisyphus")
            [IO.File]::WriteAllText("$user/config/sisyphus/settings.json", "{`"broker`": `"$address`"}")
        }
        (Get-Setting Broker).Value | Should -Be 'amqp://***@one,two:5673/lab?prefix=x'
        (Get-Setting Broker).Source | Should -Be $_
        Get-SisyphusContext | Out-String | Should -Not -Match 's3cr3t'
    }

    It 'show no password of a broker before a node starts' {
        [Environment]::SetEnvironmentVariable('SISYPHUS_BROKER', 'amqp://me:s3cr3t@one/lab')
        $shown = & (Get-TestHost) -Command "Import-Module '$PSScriptRoot/../../Sisyphus.psd1'; Start-SisyphusNode -Name n -WhatIf -Verbose" 2>&1 | Out-String
        $shown | Should -Match 'amqp://\*\*\*@one/lab'
        $shown | Should -Not -Match 's3cr3t'
    }

    It 'show no password when a broker can''t be used: <_>' -ForEach @(
        'amqp://me:s3cr3t@127.0.0.1:9/?connect_timeout=5s'
        'amqp://me:s3cr3t'
        'amqp://me:s3/cr3t@s3cr3t@h'
        'amqp://me:x@h?password=s3cr3t'
        'ampq://me:s3cr3t@h'
        ' amqp://me:s3cr3t@h'
        'me:s3cr3t@h'
    ) {
        # From the environment: an error shows the line that made it.
        [Environment]::SetEnvironmentVariable('SISYPHUS_BROKER', $_)
        $failure = Get-ErrorOf { Get-SisyphusQueue }
        $failure.FullyQualifiedErrorId | Should -Match '^Sisyphus\.'
        Get-ErrorText $failure | Should -Not -Match 's3cr3t|cr3t@'
        (Get-Setting Broker).Value | Should -Not -Match 's3cr3t|cr3t@'
    }

    It 'take no credential for a queue that is a file: <_>' -ForEach 'Connect-Sisyphus', 'Get-SisyphusQueue', 'Get-SisyphusTask', 'Start-SisyphusNode' {
        $command = $_
        $failure = Get-ErrorOf { & $command -Broker "sqlite:$user/queue.db" -Credential (New-Credential me) }
        $failure.FullyQualifiedErrorId | Should -Match '^Sisyphus\.InvalidSetting,'
        $failure.CategoryInfo.Category | Should -Be 'InvalidArgument'
        "$failure" | Should -Match 'A credential is for a broker .*sqlite:'
        Get-ErrorText $failure | Should -Not -Match 's3cr3t'
        Test-Path "$user/queue.db" | Should -Be $false
    }

    It 'take no credential from nobody' {
        { Get-SisyphusQueue -Broker "sqlite:$user/queue.db" -Credential ([pscredential]::Empty) } | Should -Not -Throw
    }

    It 'say what is wrong with their file: <What>' -ForEach @(
        @{ What = 'no JSON'; Text = "{`n`"store`": "; Match = 'settings\.json\(2,' }
        @{ What = 'an unknown key'; Text = '{"stroe": "x"}'; Match = 'stroe' }
        @{ What = 'a wrong type'; Text = '{"store": 7}'; Match = '\$\.store' }
    ) {
        $null = [IO.Directory]::CreateDirectory("$user/config/sisyphus")
        [IO.File]::WriteAllText("$user/config/sisyphus/settings.json", $Text)
        $failure = Get-ErrorOf { Get-SisyphusContext }
        $failure.FullyQualifiedErrorId | Should -Be 'Sisyphus.InvalidSetting,Sisyphus.PowerShell.Commands.GetSisyphusContextCommand'
        $failure.CategoryInfo.Category | Should -Be 'InvalidArgument'
        "$failure" | Should -Match $Match
    }
}
