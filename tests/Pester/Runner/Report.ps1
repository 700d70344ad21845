# Counting and printing. Write-Host, so that the summary object is the only output.

function New-Summary {
    [pscustomobject]@{
        PSTypeName = 'Sisyphus.TestSummary'
        Passed     = 0
        Failed     = 0
        Skipped    = 0
        Duration   = [Diagnostics.Stopwatch]::StartNew()
        Failures   = [Collections.Generic.List[object]]::new()
    }
}

function Write-Line([string] $Text, [ConsoleColor] $Colour = 'Gray') {
    Write-Host $Text -ForegroundColor $Colour
}

function Write-FileStart([string] $File) {
    Write-Line "Running $File"
}

function Add-Pass($Summary, $Test, [timespan] $Elapsed, [int] $Depth) {
    $Summary.Passed++
    if ($script:Detailed) { Write-Line "$('  ' * $Depth)[+] $($Test.Name) $([int] $Elapsed.TotalMilliseconds)ms" Green }
}

function Add-Skip($Summary, $Test) {
    $Summary.Skipped++
    Write-Line "  [!] $($Test.FullName) (skipped)" Yellow
}

function Add-Failure($Summary, [string] $Name, $Failures, [string] $Prefix) {
    $Summary.Failed++
    Write-Line "  [-] $Name" Red
    foreach ($failure in $Failures) {
        $message = if ($Prefix) { "${Prefix}: $($failure.Exception.Message)" } else { $failure.Exception.Message }
        $place = Get-FailurePlace $failure
        $Summary.Failures.Add([pscustomobject]@{ Name = $Name; Message = $message; Place = $place; ErrorRecord = $failure })
        Write-Line "      $($message -replace '\r?\n', "`n      ")" Red
        Write-Line "      at $place" DarkGray
    }
}

# Where in a test file it happened: the assertion says it itself; otherwise the first frame outside of the runner.
function Get-FailurePlace($Failure) {
    if ($Failure.Exception.Data.Contains('Place')) { return $Failure.Exception.Data['Place'] }
    foreach ($line in "$($Failure.ScriptStackTrace)".Split("`n")) {
        if ($line -match 'at .*, (?<file>.+): line (?<line>\d+)' -and -not $Matches.file.StartsWith($PSScriptRoot)) {
            return "$($Matches.file):$($Matches.line)"
        }
    }
    "$($Failure.InvocationInfo.ScriptName):$($Failure.InvocationInfo.ScriptLineNumber)"
}

function Write-Summary($Summary) {
    $Summary.Duration.Stop()
    $seconds = $Summary.Duration.Elapsed.TotalSeconds.ToString('0.0', [cultureinfo]::InvariantCulture)
    $colour = if ($Summary.Failed) { 'Red' } else { 'Green' }
    Write-Line "$($Summary.Passed) passed, $($Summary.Failed) failed, $($Summary.Skipped) skipped in ${seconds}s" $colour
    $Summary.Duration = $Summary.Duration.Elapsed
}

# A value as it stands in a message; -Bare without quotes, for the name of a test.
function Format-Value($Value, [switch] $Bare) {
    if ($null -eq $Value) { return '$null' }
    if ($Value -is [string]) { if ($Bare) { return $Value } else { return "'$Value'" } }
    if ($Value -is [bool]) { return "`$$("$Value".ToLowerInvariant())" }
    if ($Value -is [scriptblock]) { return "{$Value}" }
    if ($Value -is [type]) { return "[$($Value.FullName)]" }
    if ($Value -is [Collections.IDictionary]) {
        return "@{$(@(foreach ($key in $Value.Keys) { "$key=$(Format-Value $Value[$key])" }) -join '; ')}"
    }
    # Before IFormattable, which every such object claims to be.
    if ($Value -is [Management.Automation.PSCustomObject]) {
        return "[pscustomobject]@{$(@(foreach ($property in $Value.psobject.Properties) { "$($property.Name)=$(Format-Value $property.Value)" }) -join '; ')}"
    }
    if ($Value -is [Collections.IEnumerable]) {
        return "@($(@(foreach ($item in $Value) { Format-Value $item }) -join ', '))"
    }
    if ($Value -is [IFormattable]) { return $Value.ToString($null, [cultureinfo]::InvariantCulture) }
    "$Value"
}
