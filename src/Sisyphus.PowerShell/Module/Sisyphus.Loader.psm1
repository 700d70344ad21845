# Runs before PowerShell reflects over the cmdlets: their signatures name engine types, which only the resolver can load.
[Reflection.Assembly]::LoadFrom("$PSScriptRoot/Sisyphus.PowerShell.dll").GetType('Sisyphus.PowerShell.EngineResolver').GetMethod('Install').Invoke($null, @())
