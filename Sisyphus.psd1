@{
    RootModule           = 'bin/Sisyphus.PowerShell.dll'
    # Must come before the root module is reflected over; see Sisyphus.Loader.psm1.
    NestedModules        = @('bin/Sisyphus.Loader.psm1')
    ModuleVersion        = '0.1.0'
    GUID                 = '6f1d9c0e-5c0b-4d8e-9a51-0a2f1c4b7e36'
    Author               = 'The Sisyphus contributors'
    CompanyName          = 'The Sisyphus contributors'
    Copyright            = '(c) The Sisyphus contributors. MIT license.'
    Description          = 'Runs task documents in containers on any number of nodes: takes them from a queue, stages inputs from an object store, runs commands, publishes their outputs.'
    PowerShellVersion    = '7.6'
    CompatiblePSEditions = @('Core')
    FormatsToProcess     = @('bin/Sisyphus.Format.ps1xml')
    TypesToProcess       = @('bin/Sisyphus.Types.ps1xml')
    CmdletsToExport      = @(
        'Connect-Sisyphus'
        'Copy-SisyphusObject'
        'Export-SisyphusTask'
        'Get-SisyphusContext'
        'Get-SisyphusDeadLetter'
        'Get-SisyphusNode'
        'Get-SisyphusObject'
        'Get-SisyphusQueue'
        'Get-SisyphusTask'
        'Import-SisyphusTask'
        'Invoke-SisyphusTask'
        'New-SisyphusTask'
        'Remove-SisyphusObject'
        'Resume-SisyphusTask'
        'Send-SisyphusTask'
        'Start-SisyphusNode'
        'Stop-SisyphusNode'
        'Stop-SisyphusTask'
        'Test-SisyphusTask'
        'Wait-SisyphusTask'
        'Watch-SisyphusTask'
    )
    FunctionsToExport    = @()
    VariablesToExport    = @()
    AliasesToExport      = @()
    PrivateData          = @{
        PSData = @{
            Tags         = @('Container', 'Docker', 'Task', 'Batch', 'Workflow', 'Queue', 'PSEdition_Core', 'Linux', 'Windows', 'MacOS')
            LicenseUri   = 'https://opensource.org/license/mit'
            ReleaseNotes = 'See CHANGELOG.md.'
        }
    }
}
