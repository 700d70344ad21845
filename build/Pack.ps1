<#
.SYNOPSIS
Puts the built module into DESTINATION/Sisyphus/VERSION and into a package for the PowerShell Gallery beside it.
.OUTPUTS
The folder and the package.
#>
[CmdletBinding()]
param([Parameter(Mandatory)] [string] $Destination)

$ErrorActionPreference = 'Stop'
$root = Split-Path $PSScriptRoot

function Copy-Module($Manifest, [string] $Folder) {
    if (Test-Path -LiteralPath $Folder) { Remove-Item -LiteralPath $Folder -Recurse -Force }
    $null = New-Item -ItemType Directory -Path $Folder -Force
    foreach ($part in 'Sisyphus.psd1', 'bin', 'en-US', 'LICENSE', 'README.md', 'CHANGELOG.md') {
        $source = Join-Path $root $part
        if (Test-Path -LiteralPath $source) { Copy-Item -LiteralPath $source -Destination $Folder -Recurse }
    }
    Get-ChildItem -LiteralPath $Folder -Recurse -File | Where-Object Extension -EQ '.pdb' | Remove-Item

    # Whatever the manifest names has to be there; one that lies elsewhere in the clone would be missed by the users only.
    $named = @($Manifest.RootModule) + $Manifest.NestedModules + $Manifest.FormatsToProcess + $Manifest.TypesToProcess + $Manifest.ScriptsToProcess
    foreach ($file in $named | Where-Object { $_ -is [string] -and $_ }) {
        if (-not (Test-Path -LiteralPath (Join-Path $Folder $file))) { throw "The manifest names '$file', which is not in the module folder." }
    }
}

# The gallery reads what a package is from tags: https://learn.microsoft.com/powershell/gallery/concepts/package-manifest-affecting-ui
function New-Nuspec($Manifest, [string] $Path) {
    $commands = @($Manifest.CmdletsToExport) + @($Manifest.FunctionsToExport) | Where-Object { $_ }
    $data = $Manifest.PrivateData.PSData
    $tags = @('PSModule', 'PSEdition_Core', 'PSIncludes_Cmdlet') + @($data.Tags | Where-Object { $_ }) +
        @($Manifest.CmdletsToExport | Where-Object { $_ } | ForEach-Object { "PSCmdlet_$_" }) + @($commands | ForEach-Object { "PSCommand_$_" })
    $fields = [ordered]@{
        id = 'Sisyphus'; version = Get-PackageVersion $Manifest; authors = $Manifest.Author; description = $Manifest.Description
        copyright = $Manifest.Copyright; projectUrl = $data.ProjectUri; releaseNotes = $data.ReleaseNotes
        readme = $(if (Test-Path -LiteralPath (Join-Path $root README.md)) { 'README.md' }); tags = $tags -join ' '
    }
    $settings = [Xml.XmlWriterSettings]::new()
    $settings.Indent = $true
    $writer = [Xml.XmlWriter]::Create($Path, $settings)
    try {
        $writer.WriteStartElement('package', 'http://schemas.microsoft.com/packaging/2013/05/nuspec.xsd')
        $writer.WriteStartElement('metadata')
        foreach ($name in $fields.Keys) {
            if ($fields[$name]) { $writer.WriteElementString($name, $fields[$name]) }
        }
        $writer.WriteStartElement('license')
        $writer.WriteAttributeString('type', 'expression')
        $writer.WriteString('MIT')
        $writer.WriteEndElement()
        $writer.WriteElementString('requireLicenseAcceptance', 'false')
        $writer.WriteEndElement()
        $writer.WriteStartElement('files')
        $writer.WriteStartElement('file')
        # What stands before the first wildcard is not part of the path in the package.
        $writer.WriteAttributeString('src', "Sisyphus/$($Manifest.ModuleVersion)/**")
        $writer.WriteEndElement()
        $writer.WriteEndElement()
        $writer.WriteEndElement()
    }
    finally {
        $writer.Dispose()
    }
}

function Get-PackageVersion($Manifest) {
    $prerelease = $Manifest.PrivateData.PSData.Prerelease
    "$($Manifest.ModuleVersion)$(if ($prerelease) { "-$($prerelease.TrimStart('-'))" })"
}

$manifest = Import-PowerShellDataFile -LiteralPath (Join-Path $root Sisyphus.psd1)
$folder = Join-Path $Destination "Sisyphus/$($manifest.ModuleVersion)"
Copy-Module $manifest $folder

$nuspec = Join-Path $Destination Sisyphus.nuspec
New-Nuspec $manifest $nuspec
& dotnet pack $nuspec --output $Destination --nologo --verbosity quiet '-p:NoWarn=NU5100;NU5128' | Out-Host
if ($LASTEXITCODE -ne 0) { throw "dotnet pack ended with exit code $LASTEXITCODE." }
Remove-Item -LiteralPath $nuspec

$folder
Join-Path $Destination "Sisyphus.$(Get-PackageVersion $manifest).nupkg"
