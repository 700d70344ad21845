BeforeDiscovery {
    Import-Module "$PSScriptRoot/../../Sisyphus.psd1" -Force
    $examples = foreach ($cmdlet in Get-Command -Module Sisyphus) {
        foreach ($example in (Get-Help $cmdlet.Name -Full).examples.example) {
            @{
                Cmdlet      = $cmdlet.Name
                Title       = $example.title.Trim(' ', '-')
                Code        = $example.code
                NeedsEngine = ($example.remarks | Out-String) -match 'Needs a container engine'
            }
        }
    }
}

BeforeAll {
    . "$PSScriptRoot/common.ps1"
}

Describe 'The help' {
    It 'has an example of <_> that runs without an engine' -ForEach @($examples | ForEach-Object Cmdlet | Sort-Object -Unique | Where-Object { $_ -ne 'Invoke-SisyphusTask' }) {
        $name = $_
        @((Get-Help $name -Full).examples.example | Where-Object { ($_.remarks | Out-String) -notmatch 'Needs a container engine' }).Count | Should -BeGreaterThan 0
    }

    It '<Cmdlet>: <Title>' -ForEach @($examples | Where-Object { -not $_.NeedsEngine }) {
        Use-TestUser "$TestDrive/$([guid]::NewGuid())"
        $null = New-Item -ItemType Directory "$TestDrive/$Cmdlet" -Force
        Push-Location "$TestDrive/$Cmdlet"
        try {
            # Some examples go on from what others have made.
            Set-Content ./clear.txt 'hello'
            Copy-SisyphusObject ./clear.txt demo:data/clear
            { & ([scriptblock]::Create('$ErrorActionPreference = "Stop"; ' + $Code)) } | Should -Not -Throw
        }
        finally {
            Pop-Location
            Connect-Sisyphus
        }
    }

    It '<Cmdlet>: <Title> (parses)' -ForEach @($examples | Where-Object { $_.NeedsEngine }) {
        $errors = $null
        $null = [System.Management.Automation.Language.Parser]::ParseInput($Code, [ref] $null, [ref] $errors)
        $errors.Count | Should -Be 0
    }
}
