BeforeAll {
    . "$PSScriptRoot/common.ps1"

    function Get-Setting([string] $Name) {
        Get-SisyphusContext $Name
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
