# The host's executable as a child process; what it does here pwsh does too.

BeforeAll {
    . "$PSScriptRoot/common.ps1"
    $build = Get-TestHost

    function Invoke-Script([string] $Text, [string[]] $Arguments = @()) {
        $file = Join-Path $TestDrive script.ps1
        Set-Content -LiteralPath $file -Value $Text
        & $build $file @Arguments 2>$null
    }
}

Describe 'The host' {
    Context 'memory' {
        It 'keeps no records that it has shown' {
            # 80 MB of text, and as much again in records, if they were kept.
            $peak = Invoke-Script '$x = "x" * 200; foreach ($i in 1..400000) { Write-Information "$i $x" }; [Diagnostics.Process]::GetCurrentProcess().PeakWorkingSet64 / 1MB'
            [double] $peak | Should -BeLessThan 220
        }
    }

    Context 'exit codes' {
        It '<Text> in a script gives <Code>' -ForEach @(
            @{ Text = 'exit 7'; Code = 7 }
            @{ Text = '"fine"'; Code = 0 }
            @{ Text = 'throw "x"'; Code = 1 }
            @{ Text = '1 / 0'; Code = 0 }
            @{ Text = 'try { exit 3 } finally { "ran" }'; Code = 3 }
        ) {
            $null = Invoke-Script $Text
            $LASTEXITCODE | Should -Be $Code
        }

        It 'ends as the last command of -Command: <Text> gives <Code>' -ForEach @(
            @{ Text = 'exit 7'; Code = 7 }
            @{ Text = '"fine"'; Code = 0 }
            @{ Text = '1 / 0'; Code = 1 }
            @{ Text = 'Get-Item /no/such/item'; Code = 1 }
            @{ Text = '1 / 0; "fine"'; Code = 0 }
        ) {
            $null = & $build -Command $Text 2>$null
            $LASTEXITCODE | Should -Be $Code
        }

        It 'is that of a bad command line for a script that is not there' {
            $null = & $build (Join-Path $TestDrive no.ps1) 2>$null
            $LASTEXITCODE | Should -Be 64
        }
    }

    Context 'arguments' {
        It 'binds <Arguments>' -ForEach @(
            @{ Arguments = '-Name', 'a b', '-Loud'; Expected = 'a b|True|1|' }
            @{ Arguments = '-Name:x', '-Loud:$false', '-Count', '-5'; Expected = 'x|False|-5|' }
            @{ Arguments = 'first', '2', 'rest', ''; Expected = 'first|False|2|rest,' }
            @{ Arguments = '--', '-Loud'; Expected = '-Loud|False|1|' }
        ) {
            Invoke-Script 'param([string] $Name, [int] $Count = 1, [switch] $Loud) "$Name|$Loud|$Count|$($args -join ",")"' $Arguments |
                Should -BeExactly $Expected
        }

        It 'knows where the script is' {
            Invoke-Script '$PSScriptRoot; Split-Path -Leaf $PSCommandPath' | Should -Be ([IO.Path]::GetFullPath("$TestDrive")), 'script.ps1'
        }
    }

    Context 'streams' {
        It 'writes objects without colours where nobody looks' {
            (Invoke-Script "[pscustomobject]@{ Name = 'x'; Size = 1 } | Format-Table" | Out-String) | Should -Not -Match "`e"
        }

        It 'keeps an uncaught error off standard output' {
            Invoke-Script '"out"; throw "x"' | Should -Be 'out'
        }

        It 'passes text to and from native commands as UTF-8' -Skip:$IsWindows {
            Invoke-Script "'zwölf €' | & cat" | Should -BeExactly 'zwölf €'
        }
    }

    Context 'the everyday commands' {
        It 'does <Text>' -ForEach @(
            @{ Text = '1..1000000000 | Select-Object -First 2'; Expected = '1', '2' }
            @{ Text = '@{ a = 1; b = @(1, $null, "ü") } | ConvertTo-Json -Compress | ConvertFrom-Json | ForEach-Object { $_.b[2] }'; Expected = 'ü' }
            @{ Text = '3, 1, 2 | Sort-Object -Descending | Select-Object -Last 1'; Expected = '1' }
            @{ Text = '"a,b`n1,`"x,y`"" | ConvertFrom-Csv | ForEach-Object b'; Expected = 'x,y' }
            @{ Text = '1, 2, 3 | Measure-Object -Sum | ForEach-Object Sum'; Expected = '6' }
            @{ Text = 'try { Get-Content /no/such -ErrorAction Stop } catch { $_.FullyQualifiedErrorId }'; Expected = 'PathNotFound,Microsoft.PowerShell.Commands.GetContentCommand' }
            @{ Text = '& { $ErrorActionPreference = "Stop"; try { Get-Item /no/such } catch { "caught" } }'; Expected = 'caught' }
            @{ Text = '[pscustomobject]@{ a = 1 } | Format-List | Out-String -Stream | Where-Object { $_ }'; Expected = 'a : 1' }
            @{ Text = 'function f { [CmdletBinding()] param() Write-Error "x" -ErrorId Y }; f -ErrorVariable e -ErrorAction SilentlyContinue; $e.FullyQualifiedErrorId'; Expected = 'Y,f' }
        ) {
            Invoke-Script $Text | Should -Be $Expected
        }

        It 'refuses a parameter that it does not have' {
            Invoke-Script 'try { Get-Date -NoSuch 1 } catch { $_.FullyQualifiedErrorId }' | Should -Be 'NamedParameterNotFound,Microsoft.PowerShell.Commands.GetDateCommand'
        }

        It 'says that a command is in pwsh only' {
            Invoke-Script 'try { Import-Clixml x } catch { $_.Exception.Message }' | Should -BeLike '*full PowerShell*'
        }
    }

    Context 'signals' {
        It 'runs finally blocks on SIGTERM and ends with 143' -Skip:$IsWindows {
            $file = Join-Path $TestDrive stop.ps1
            $done = Join-Path $TestDrive done
            $ready = Join-Path $TestDrive ready
            Set-Content -LiteralPath $file -Value "try { Set-Content '$ready' 1; Start-Sleep 600 } finally { Set-Content '$done' 1 }"
            $process = Start-Process -FilePath $build -ArgumentList $file -PassThru
            try {
                $clock = [Diagnostics.Stopwatch]::StartNew()
                while (-not (Test-Path $ready) -and $clock.Elapsed.TotalSeconds -lt 60) { Start-Sleep -Milliseconds 50 }
                & kill -TERM $process.Id
                $process.WaitForExit(60000) | Should -BeTrue
            }
            finally {
                if (-not $process.HasExited) { $process.Kill() }
            }
            $process.ExitCode | Should -Be 143
            $done | Should -Exist
        }
    }
}
