@{
    RootModule        = 'Runner.psm1'
    ModuleVersion     = '0.1.0'
    GUID              = '5a1c9d0e-6c2f-4f6a-9a55-4a1d4c8f6e21'
    Author            = 'The Sisyphus contributors'
    Description       = "The part of Pester's language that the tests of Sisyphus use, for where there is no Pester."
    PowerShellVersion = '7.4'
    FunctionsToExport = @(
        'Invoke-TestFile'
        'Describe', 'Context', 'It', 'Should'
        'BeforeDiscovery', 'BeforeAll', 'BeforeEach', 'AfterAll', 'AfterEach'
        'Mock', 'InModuleScope', 'Set-ItResult', 'Add-ShouldOperator', 'New-PesterConfiguration', 'New-PesterContainer'
    )
    CmdletsToExport   = @()
    VariablesToExport = @()
    AliasesToExport   = @()
}
