# The first phase. Blocks and tests are plain hashtables; $script:Current is the block whose body runs now.

$script:Current = $null
$script:Phase = 'None'

function New-Block([string] $Kind, [string] $Name, $Parent, [hashtable] $Data, $Item) {
    @{
        Kind = $Kind; Name = $Name; Parent = $Parent; Data = $Data; Item = $Item; Tags = @(); Skip = $false
        Children = [Collections.Generic.List[object]]::new()
        BeforeAll = $null; AfterAll = $null; BeforeEach = $null; AfterEach = $null
        Selected = $false
    }
}

function Get-TestTree([string] $File, [hashtable] $Inner, $Summary) {
    $root = New-Block File ([IO.Path]::GetFileName($File)) $null @{} $null
    $root.File = $File
    $script:Current = $root
    $script:Inner = $Inner
    $script:Phase = 'Discovery'
    try {
        $null = & $Inner.File $File
        $root
    }
    catch {
        Add-Failure $Summary "$($root.Name): discovery" $_
    }
    finally {
        $script:Current = $null
        $script:Phase = 'None'
    }
}

function Assert-Phase([string] $Command, [string] $Expected) {
    if ($script:Phase -ne $Expected) {
        $where = if ($Expected -eq 'Discovery') { 'in the body of a test file, Describe or Context' } else { 'in a test or its set-up' }
        throw [InvalidOperationException]::new("$Command belongs $where.")
    }
}

# The items of -ForEach; without one, a single nothing.
function Expand-ForEach($Items, [bool] $Given) {
    if (-not $Given) {
        return , @(@{ Data = @{}; Item = $null })
    }

    $expanded = foreach ($item in $Items) {
        $data = @{}
        if ($item -is [Collections.IDictionary]) {
            foreach ($key in $item.Keys) { $data["$key"] = $item[$key] }
        }
        @{ Data = $data; Item = $item }
    }
    , @($expanded)
}

# <name>, <_> and <name.property> in a name; a backtick keeps the sign as it is.
function Expand-Name([string] $Template, [hashtable] $Data, $Item) {
    [regex]::Replace($Template, '(?<!`)<([^<>]+)>', {
        param($match)
        $steps = $match.Groups[1].Value.Split('.')
        $first = $steps[0].TrimStart('$')
        if ($first -eq '_') { $value = $Item }
        elseif ($Data.ContainsKey($first)) { $value = $Data[$first] }
        else { return $match.Value }
        foreach ($step in ($steps | Select-Object -Skip 1)) { $value = $value.$step }
        Format-Value $value -Bare
    }).Replace('`<', '<').Replace('`>', '>')
}

function Add-Block([string] $Kind, [string] $Name, [string[]] $Tag, [bool] $Skip, $ForEach, [bool] $HasForEach, [scriptblock] $Fixture) {
    Assert-Phase $Kind Discovery
    $parent = $script:Current
    foreach ($case in (Expand-ForEach $ForEach $HasForEach)) {
        $data = $parent.Data.Clone()
        foreach ($key in $case.Data.Keys) { $data[$key] = $case.Data[$key] }
        $item = if ($HasForEach) { $case.Item } else { $parent.Item }
        $block = New-Block $Kind (Expand-Name $Name $data $item) $parent $data $item
        $block.Tags = @($parent.Tags) + @($Tag)
        $block.Skip = $parent.Skip -or $Skip
        $block.File = $parent.File
        $parent.Children.Add($block)
        $script:Current = $block
        try { $null = & $script:Inner.Body $Fixture $data $item }
        finally { $script:Current = $parent }
    }
}

function Describe {
    [CmdletBinding()]
    param(
        [Parameter(Mandatory, Position = 0)] [string] $Name,
        [Alias('Tags')] [string[]] $Tag = @(),
        [switch] $Skip,
        [Parameter(Position = 1)] [scriptblock] $Fixture = $(throw 'A Describe needs its body on the same line: Describe "name" {'),
        [object] $ForEach
    )
    Add-Block Describe $Name $Tag $Skip $ForEach $PSBoundParameters.ContainsKey('ForEach') $Fixture
}

function Context {
    [CmdletBinding()]
    param(
        [Parameter(Mandatory, Position = 0)] [string] $Name,
        [Alias('Tags')] [string[]] $Tag = @(),
        [switch] $Skip,
        [Parameter(Position = 1)] [scriptblock] $Fixture = $(throw 'A Context needs its body on the same line: Context "name" {'),
        [object] $ForEach
    )
    Add-Block Context $Name $Tag $Skip $ForEach $PSBoundParameters.ContainsKey('ForEach') $Fixture
}

function It {
    [CmdletBinding()]
    param(
        [Parameter(Mandatory, Position = 0)] [string] $Name,
        [Parameter(Position = 1)] [scriptblock] $Test = $(throw 'An It needs its body on the same line: It "name" {'),
        [Alias('TestCases')] [object] $ForEach,
        [Alias('Tags')] [string[]] $Tag = @(),
        [switch] $Skip
    )
    Assert-Phase It Discovery
    $parent = $script:Current
    if ($parent.Kind -eq 'File') {
        throw [InvalidOperationException]::new("It '$Name' is outside of every Describe.")
    }

    $hasForEach = $PSBoundParameters.ContainsKey('ForEach')
    foreach ($case in (Expand-ForEach $ForEach $hasForEach)) {
        $data = $parent.Data.Clone()
        foreach ($key in $case.Data.Keys) { $data[$key] = $case.Data[$key] }
        $item = if ($hasForEach) { $case.Item } else { $parent.Item }
        $parent.Children.Add(@{
            Kind = 'It'; Name = Expand-Name $Name $data $item; Template = $Name; Parent = $parent; Test = $Test; Data = $data; Item = $item
            Tags = @($parent.Tags) + @($Tag); Skip = $parent.Skip -or $Skip; Selected = $false
        })
    }
}

function BeforeDiscovery {
    [CmdletBinding()]
    param([Parameter(Mandatory, Position = 0)] [scriptblock] $ScriptBlock)
    Assert-Phase BeforeDiscovery Discovery
    # In the scope of the body that it stands in, so that what it sets is there for -ForEach.
    . $ScriptBlock
}

function Set-Hook([string] $Hook, [scriptblock] $ScriptBlock) {
    Assert-Phase $Hook Discovery
    if ($null -ne $script:Current[$Hook]) {
        throw [InvalidOperationException]::new("A second $Hook in '$($script:Current.Name)'.")
    }
    $script:Current[$Hook] = $ScriptBlock
}

function BeforeAll { param([Parameter(Mandatory, Position = 0)] [scriptblock] $ScriptBlock) Set-Hook BeforeAll $ScriptBlock }
function AfterAll { param([Parameter(Mandatory, Position = 0)] [scriptblock] $ScriptBlock) Set-Hook AfterAll $ScriptBlock }
function BeforeEach { param([Parameter(Mandatory, Position = 0)] [scriptblock] $ScriptBlock) Set-Hook BeforeEach $ScriptBlock }
function AfterEach { param([Parameter(Mandatory, Position = 0)] [scriptblock] $ScriptBlock) Set-Hook AfterEach $ScriptBlock }

# What Pester has and this runner has not must not pass by silently.
foreach ($name in 'Mock', 'InModuleScope', 'Set-ItResult', 'Add-ShouldOperator', 'New-PesterConfiguration', 'New-PesterContainer') {
    . ([scriptblock]::Create("function $name { throw [NotSupportedException]::new('$name is not in the runner: run this file with Pester, or leave it out.') }"))
}

function Select-Test($Block, [hashtable] $Filter) {
    foreach ($child in $Block.Children) {
        if ($child.Kind -eq 'It') {
            $child.FullName = Get-FullName $child
            $wanted = $Filter.Tag.Count -eq 0 -or @($child.Tags | Where-Object { $_ -in $Filter.Tag }).Count -gt 0
            $unwanted = @($child.Tags | Where-Object { $_ -in $Filter.ExcludeTag }).Count -gt 0
            $named = $Filter.FullName.Count -eq 0 -or @($Filter.FullName | Where-Object { $child.FullName -like $_ }).Count -gt 0
            $child.Selected = $wanted -and -not $unwanted -and $named
        }
        else {
            Select-Test $child $Filter
        }
        if ($child.Selected) { $Block.Selected = $true }
    }
}

function Get-FullName($Node) {
    $names = for ($n = $Node; $null -ne $n.Parent; $n = $n.Parent) { $n.Name }
    $names = @($names)
    [array]::Reverse($names)
    $names -join '.'
}
