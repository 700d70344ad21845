# The second phase. What runs a block or a test is code of the caller's session state, so that BeforeAll and BeforeEach can be
# dot-sourced into the scope in which the tests then run, and so that tests see nothing of this module.

function New-SessionBoundCode([Management.Automation.SessionState] $Session) {
    # Literals take the session state in which they are evaluated.
    $source = [scriptblock]::Create(@'
@{
    File = { param($______file) . $______file }

    Body = {
        param($______body, $______data, $______item)
        foreach ($______key in $______data.Keys) { $ExecutionContext.SessionState.PSVariable.Set($______key, $______data[$______key]) }
        $_ = $______item
        . $______body
    }

    Block = {
        param($______block, $______step)
        foreach ($______key in $______block.Data.Keys) { $ExecutionContext.SessionState.PSVariable.Set($______key, $______block.Data[$______key]) }
        $_ = $______block.Item
        try {
            if ($null -ne $______block.BeforeAll) { $null = . $______block.BeforeAll }
            foreach ($______child in $______block.Children) { & $______step.Child $______child $______step }
        }
        catch { & $______step.Failed 'BeforeAll' $_ $______step }
        finally {
            try { if ($null -ne $______block.AfterAll) { $null = . $______block.AfterAll } }
            catch { & $______step.Failed 'AfterAll' $_ $______step }
        }
    }

    Test = {
        param($______test, $______before, $______after, $______failures)
        foreach ($______key in $______test.Data.Keys) { $ExecutionContext.SessionState.PSVariable.Set($______key, $______test.Data[$______key]) }
        $_ = $______test.Item
        try {
            foreach ($______hook in $______before) { $null = . $______hook }
            $null = . $______test.Test
        }
        catch { $______failures.Add($_) }
        finally {
            foreach ($______hook in $______after) {
                try { $null = . $______hook }
                catch { $______failures.Add($_) }
            }
        }
    }
}
'@)
    $ExecutionContext.InvokeCommand.InvokeScript($Session, $source, @())[0]
}

function Invoke-Container($Root, [hashtable] $Inner, $Summary, [string] $Output) {
    $script:Inner = $Inner
    $script:Summary = $Summary
    $script:Detailed = $Output -eq 'Detailed'
    $drive = New-TestDrive
    $Root.Data.TestDrive = $drive
    $script:Phase = 'Run'
    try {
        Invoke-Block $Root $drive 0
    }
    finally {
        $script:Phase = 'None'
        Remove-TestDrive $drive
    }
}

function Invoke-Block($Block, [string] $Drive, [int] $Depth) {
    if (-not (Test-AnySelected $Block)) { return }
    if ($script:Detailed) { Write-Line ('  ' * $Depth + $Block.Name) Cyan }
    if (-not (Test-AnyRunnable $Block)) {
        # Nothing in it will run, so neither does its set-up.
        Complete-Unrun $Block $null
        return
    }

    $before = Get-DriveContent $Drive
    & $script:Inner.Block $Block @{
        Block = $Block; Drive = $Drive; Depth = $Depth; Started = $false
        Child = {
            param($child, $step)
            $step.Started = $true
            if (-not $child.Selected) { return }
            if ($child.Kind -eq 'It') { Invoke-Test $child ($step.Depth + 1) }
            else { Invoke-Block $child $step.Drive ($step.Depth + 1) }
        }
        Failed = {
            param($hook, $failure, $step)
            if ($hook -eq 'BeforeAll' -and -not $step.Started) { Complete-Unrun $step.Block $failure }
            else { Add-Failure $script:Summary "$(Get-FullName $step.Block): $hook" $failure }
        }
    }
    Restore-Drive $Drive $before
}

function Invoke-Test($Test, [int] $Depth) {
    if ($Test.Skip) {
        Add-Skip $script:Summary $Test
        return
    }

    $before = [Collections.Generic.List[scriptblock]]::new()
    $after = [Collections.Generic.List[scriptblock]]::new()
    for ($block = $Test.Parent; $null -ne $block; $block = $block.Parent) {
        # The outermost BeforeEach first, the innermost AfterEach first.
        if ($null -ne $block.BeforeEach) { $before.Insert(0, $block.BeforeEach) }
        if ($null -ne $block.AfterEach) { $after.Add($block.AfterEach) }
    }

    $failures = [Collections.Generic.List[object]]::new()
    $watch = [Diagnostics.Stopwatch]::StartNew()
    & $script:Inner.Test $Test $before $after $failures
    if ($failures.Count -eq 0) {
        Add-Pass $script:Summary $Test $watch.Elapsed $Depth
    }
    else {
        Add-Failure $script:Summary $Test.FullName $failures
    }
}

# Every selected test of a block that could not begin: failed by the set-up, or skipped.
function Complete-Unrun($Block, $Failure) {
    foreach ($child in $Block.Children) {
        if (-not $child.Selected) { continue }
        if ($child.Kind -ne 'It') { Complete-Unrun $child $Failure }
        elseif ($child.Skip) { Add-Skip $script:Summary $child }
        else { Add-Failure $script:Summary $child.FullName $Failure 'BeforeAll failed' }
    }
}

function Test-AnySelected($Block) { $Block.Selected }

function Test-AnyRunnable($Block) {
    foreach ($child in $Block.Children) {
        if (-not $child.Selected) { continue }
        if ($child.Kind -eq 'It' ? -not $child.Skip : (Test-AnyRunnable $child)) { return $true }
    }
    $false
}

# $TestDrive: a folder for each file; what a block leaves in it goes with the block.

function New-TestDrive {
    $folder = [IO.Directory]::CreateTempSubdirectory('sisyphus-tests-').FullName
    $drives = $ExecutionContext.SessionState.Drive
    $provider = $ExecutionContext.SessionState.Provider.GetOne('FileSystem')
    $null = $drives.New([Management.Automation.PSDriveInfo]::new('TestDrive', $provider, $folder, '', $null), 'Global')
    $folder
}

function Remove-TestDrive([string] $Folder) {
    $ExecutionContext.SessionState.Drive.Remove('TestDrive', $true, 'Global')
    [IO.Directory]::Delete($Folder, $true)
}

function Get-DriveContent([string] $Folder) {
    , [Collections.Generic.HashSet[string]]::new([IO.Directory]::GetFileSystemEntries($Folder, '*', [IO.SearchOption]::AllDirectories))
}

function Restore-Drive([string] $Folder, $Known) {
    foreach ($entry in [IO.Directory]::GetFileSystemEntries($Folder, '*', [IO.SearchOption]::AllDirectories)) {
        if ($Known.Contains($entry)) { continue }
        # A folder takes its content along, so some entries are gone by now. A link is removed, not what it leads to.
        if ([IO.Directory]::Exists($entry)) {
            [IO.Directory]::Delete($entry, $null -eq [IO.DirectoryInfo]::new($entry).LinkTarget)
        }
        elseif ([IO.File]::Exists($entry)) {
            [IO.File]::Delete($entry)
        }
    }
}
