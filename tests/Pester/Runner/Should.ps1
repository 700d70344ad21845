# Should, with the operators that the tests use. Each operator returns $null where it holds, otherwise what was expected.

$script:TakesWhole = 'Be', 'BeExactly', 'Contain', 'HaveCount', 'BeNullOrEmpty'

$script:Operators = @{
    Be                  = { param($a, $e) Test-Equal $a $e $false }
    BeExactly           = { param($a, $e) Test-Equal $a $e $true }
    BeNullOrEmpty       = { param($a) Test-Empty $a }
    BeTrue              = { param($a) [bool] $a }
    BeFalse             = { param($a) -not $a }
    BeGreaterThan       = { param($a, $e) $a -gt $e }
    BeLessThan          = { param($a, $e) $a -lt $e }
    BeGreaterOrEqual    = { param($a, $e) $a -ge $e }
    BeLessOrEqual       = { param($a, $e) $a -le $e }
    BeLike              = { param($a, $e) [bool]($a -like $e) }
    BeLikeExactly       = { param($a, $e) [bool]($a -clike $e) }
    Match               = { param($a, $e) [bool]($a -match $e) }
    MatchExactly        = { param($a, $e) [bool]($a -cmatch $e) }
    Contain             = { param($a, $e) @($a) -contains $e }
    BeIn                = { param($a, $e) @($e) -contains $a }
    BeOfType            = { param($a, $e) $a -is (Resolve-Type $e) }
    HaveCount           = { param($a, $e) $null -eq $a ? $e -eq 0 : @($a).Count -eq $e }
    Exist               = { param($a) Test-Path -Path $a }
    FileContentMatch    = { param($a, $e) @(@(Get-Content -LiteralPath $a) -match $e).Count -gt 0 }
}

$script:Expectations = @{
    BeNullOrEmpty = 'null or empty'; BeTrue = '$true'; BeFalse = '$false'; Exist = 'an existing path'
    BeGreaterThan = 'greater than'; BeLessThan = 'less than'; BeGreaterOrEqual = 'at least'; BeLessOrEqual = 'at most'
    BeLike = 'like'; BeLikeExactly = 'like (case sensitive)'; Match = 'a match of'; MatchExactly = 'a case sensitive match of'
    Contain = 'a collection with'; BeIn = 'one of'; BeOfType = 'the type'; HaveCount = 'a count of'; FileContentMatch = 'a file with a line matching'
    Be = ''; BeExactly = 'exactly'
}

function Should {
    [CmdletBinding(PositionalBinding = $false)]
    param(
        [Parameter(ValueFromPipeline)] [AllowNull()] [AllowEmptyString()] [AllowEmptyCollection()] [object] $ActualValue,
        [Parameter(Position = 0)] [Alias('ExpectedMessage', 'RegularExpression', 'ExpectedType', 'ExpectedContent')] [AllowNull()] [object] $ExpectedValue,
        [switch] $Not,
        [string] $Because,
        [switch] $Be, [switch] $BeExactly, [switch] $BeNullOrEmpty, [switch] $BeTrue, [switch] $BeFalse,
        [Alias('GT')] [switch] $BeGreaterThan, [Alias('LT')] [switch] $BeLessThan,
        [Alias('GE')] [switch] $BeGreaterOrEqual, [Alias('LE')] [switch] $BeLessOrEqual,
        [switch] $BeLike, [switch] $BeLikeExactly, [switch] $Match, [switch] $MatchExactly,
        [switch] $Contain, [switch] $BeIn, [switch] $BeOfType, [switch] $HaveCount, [switch] $Exist, [switch] $FileContentMatch,
        [switch] $Throw, [string] $ErrorId, [type] $ExceptionType, [switch] $PassThru
    )

    begin {
        $values = [Collections.Generic.List[object]]::new()
        $place = "$($MyInvocation.ScriptName):$($MyInvocation.ScriptLineNumber)"
        $operator = @(@($script:Operators.Keys) + 'Throw' | Where-Object { $PSBoundParameters.ContainsKey($_) -and $PSBoundParameters[$_] })
        if ($operator.Count -ne 1) {
            throw [ArgumentException]::new("Should needs exactly one operator that the runner has; $($operator.Count) were given.")
        }
        if ($operator[0] -ne 'Throw' -and ($ErrorId -or $ExceptionType -or $PassThru)) {
            throw [ArgumentException]::new('-ErrorId, -ExceptionType and -PassThru belong to Should -Throw.')
        }
        $operator = $operator[0]
    }

    process {
        if ($MyInvocation.ExpectingInput -or $PSBoundParameters.ContainsKey('ActualValue')) { $values.Add($ActualValue) }
    }

    end {
        if ($operator -eq 'Throw') {
            $block = $values.Count -eq 1 ? $values[0] : $null
            if ($block -isnot [scriptblock]) { Stop-Test "Should -Throw needs a script block, but got $(Format-Value $values)." $place }
            Test-Throw $block $ExpectedValue $ErrorId $ExceptionType $Not $Because $place $PassThru
            return
        }

        # As in Pester: some operators see all of the pipeline's values at once, the others each.
        if ($values.Count -eq 0) { $values.Add($null) }
        elseif ($operator -in $script:TakesWhole -and $MyInvocation.ExpectingInput) { $whole = $values.ToArray(); $values.Clear(); $values.Add($whole) }
        foreach ($value in $values) {
            $holds = & $script:Operators[$operator] $value $ExpectedValue
            if ([bool] $holds -eq [bool] $Not) {
                $shown = if ($value -is [array] -and $value.Count -eq 1 -and $operator -ne 'HaveCount') { Format-Value $value[0] } else { Format-Value $value }
                $expected = @($(if ($Not) { 'not' }), $script:Expectations[$operator],
                    $(if ($operator -notin 'BeNullOrEmpty', 'BeTrue', 'BeFalse', 'Exist') { Format-Value $ExpectedValue }) | Where-Object { $_ }) -join ' '
                Stop-Test "Expected $expected,$(Format-Because $Because) but got $shown." $place
            }
        }
    }
}

function Test-Throw([scriptblock] $Block, $Message, [string] $Id, [type] $Type, [bool] $Not, [string] $Because, [string] $Place, [bool] $PassThru) {
    $failure = $null
    try { $null = & $Block }
    catch { $failure = $_ }

    $because = Format-Because $Because
    if ($Not) {
        if ($Message -or $Id -or $Type) { throw [ArgumentException]::new('Should -Not -Throw takes no message, id or type: they would hide other errors.') }
        if ($null -ne $failure) { Stop-Test "Expected no exception,$because but got '$($failure.Exception.Message)' at $(Get-FailurePlace $failure)." $Place }
        return
    }

    $wanted = @(
        if ($Type) { "of type [$($Type.FullName)]" }
        if ($Message) { "with a message like '$Message'" }
        if ($Id) { "with the id '$Id'" }
    ) -join ' and '
    if ($null -eq $failure) { Stop-Test "Expected an exception $wanted,$because but none was thrown." $Place }
    $holds = (-not $Type -or $failure.Exception -is $Type) -and
        (-not $Message -or $failure.Exception.Message -like $Message) -and
        (-not $Id -or $failure.FullyQualifiedErrorId -eq $Id)
    if (-not $holds) {
        Stop-Test ("Expected an exception $wanted,$because but got one of type [$($failure.Exception.GetType().FullName)] with the message " +
            "'$($failure.Exception.Message)' and the id '$($failure.FullyQualifiedErrorId)' at $(Get-FailurePlace $failure).") $Place
    }
    if ($PassThru) { $failure }
}

# Arrays element by element, at every depth; a single value equals an array of it, as what comes through a pipeline is unrolled.
function Test-Equal($Actual, $Expected, [bool] $CaseSensitive) {
    $actualItems = @($Actual)
    $expectedItems = @($Expected)
    if ($actualItems.Count -ne $expectedItems.Count) { return $false }
    for ($i = 0; $i -lt $actualItems.Count; $i++) {
        $a = $actualItems[$i]
        $e = $expectedItems[$i]
        if ($a -is [array] -or $e -is [array]) { if (-not (Test-Equal $a $e $CaseSensitive)) { return $false } }
        elseif ($CaseSensitive ? $e -cne $a : $e -ne $a) { return $false }
    }
    $true
}

function Test-Empty($Value) {
    if ($Value -is [array] -and $Value.Count -eq 1) { $Value = $Value[0] }
    if ($null -eq $Value) { return $true }
    if ($Value -is [string]) { return $Value.Length -eq 0 }
    $Value -is [Collections.IEnumerable] -and @($Value.GetEnumerator()).Count -eq 0
}

function Resolve-Type($Type) {
    if ($Type -is [type]) { return $Type }
    $name = "$Type" -replace '^\[(.*)\]$', '$1'
    $found = $name -as [type]
    if ($null -eq $found) { throw [ArgumentException]::new("Could not find the type [$name].") }
    $found
}

function Format-Because([string] $Because) {
    if ($Because) { " because $($Because -replace '^because\s+'),"}
}

function Stop-Test([string] $Message, [string] $Place) {
    $exception = [Exception]::new($Message)
    $exception.Data['Place'] = $Place
    throw [Management.Automation.ErrorRecord]::new($exception, 'PesterAssertionFailed', 'InvalidResult', $null)
}
