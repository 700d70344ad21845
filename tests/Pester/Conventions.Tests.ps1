BeforeDiscovery {
    Import-Module "$PSScriptRoot/../../Sisyphus.psd1" -Force
    $common = [System.Management.Automation.PSCmdlet]::CommonParameters + [System.Management.Automation.PSCmdlet]::OptionalCommonParameters
    $cmdlets = foreach ($cmdlet in Get-Command -Module Sisyphus) {
        @{ Name = $cmdlet.Name }
    }
    $parameters = foreach ($cmdlet in Get-Command -Module Sisyphus) {
        foreach ($name in $cmdlet.Parameters.Keys) {
            if ($common -notcontains $name) {
                @{ Cmdlet = $cmdlet.Name; Parameter = $name }
            }
        }
    }
}

BeforeAll {
    . "$PSScriptRoot/common.ps1"
}

Describe 'The module' {
    It 'exports exactly the cmdlets of its manifest' {
        $declared = @((Test-ModuleManifest "$PSScriptRoot/../../Sisyphus.psd1").ExportedCmdlets.Keys | Sort-Object)
        @((Get-Module Sisyphus).ExportedCommands.Keys | Sort-Object) -join ' ' | Should -Be ($declared -join ' ')
    }

    It 'has an about topic' {
        (Get-Help about_Sisyphus | Out-String) | Should -Match 'stages inputs from an object store'
    }

    It 'ships no part of PowerShell' {
        @(Get-ChildItem "$PSScriptRoot/../../bin" -Recurse -Filter 'System.Management.Automation*').Count | Should -Be 0
    }
}

Describe 'The cmdlet <Name>' -ForEach $cmdlets {
    BeforeAll {
        $cmdlet = Get-Command $Name
        $help = Get-Help $Name -Full
    }

    It 'has an approved verb' {
        $verbs = foreach ($group in 'Common', 'Communications', 'Data', 'Diagnostic', 'Lifecycle', 'Other', 'Security') {
            ([psobject].Assembly.GetType("System.Management.Automation.Verbs$group")).GetFields().Name
        }
        $verbs | Should -Contain $cmdlet.Verb
    }

    It 'has a singular noun with the prefix' {
        $cmdlet.Noun | Should -Match '^Sisyphus(([A-Z][a-z]+)*[^s])?$'
    }

    It 'says what it returns' {
        $cmdlet.OutputType.Count | Should -BeGreaterThan 0
    }

    It 'has a synopsis' {
        $help.Synopsis | Should -Match '^[A-Z][^\r\n]+\.$'
    }

    It 'has an example' {
        @($help.examples.example).Count | Should -BeGreaterThan 0
        @($help.examples.example)[0].code | Should -Match $Name
    }

    It 'asks before it changes something' {
        $changes = 'Connect', 'Copy', 'Export', 'Invoke', 'Remove', 'Resume', 'Send', 'Start', 'Stop'
        $cmdlet.Parameters.ContainsKey('WhatIf') | Should -Be ($changes -contains $cmdlet.Verb)
    }
}

Describe 'The parameter -<Parameter> of <Cmdlet>' -ForEach $parameters {
    BeforeAll {
        $metadata = (Get-Command $Cmdlet).Parameters[$Parameter]
    }

    It 'has a singular name' {
        # Access, Status and the like end in s and are singular; MaxTasks is a count.
        $Parameter | Should -Match '([^s]|ss|^MaxTasks)$'
    }

    It 'is no bool' {
        $metadata.ParameterType.Name | Should -Not -Be 'Boolean'
    }

    It 'is described in the help' {
        $found = (Get-Help $Cmdlet -Full).parameters.parameter | Where-Object name -EQ $Parameter
        ($found.description | Out-String).Trim() | Should -Match '\w{2}.*\.$'
    }
}
