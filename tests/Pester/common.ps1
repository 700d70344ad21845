# Dot-sourced in the BeforeAll of every file that needs the module: . (Join-Path $PSScriptRoot common.ps1)
# The built module, as a user of a built clone imports it.
$manifest = Join-Path $PSScriptRoot ../../Sisyphus.psd1
if (-not (Get-Module Sisyphus)) {
    Import-Module $manifest -ErrorAction Stop
}
