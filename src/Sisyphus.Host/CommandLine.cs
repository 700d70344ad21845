using System.Management.Automation.Runspaces;

namespace Sisyphus.Host;

/// <summary>What the host was asked to do: the part of <c>pwsh</c>'s command line that scripts and units use.</summary>
internal sealed record CommandLine(HostMode Mode, string Target, IReadOnlyList<CommandParameter> Arguments, bool NonInteractive)
{
    /// <summary>The exit code of <c>pwsh</c> for a bad command line (EX_USAGE of sysexits.h).</summary>
    public const int UsageExitCode = 64;

    public const string Usage = """
        sisyphus: the PowerShell engine and the Sisyphus module in one executable.

          sisyphus SCRIPT.ps1 [ARGUMENT…]        runs a script
          sisyphus -File SCRIPT.ps1 [ARGUMENT…]  the same
          sisyphus -Command TEXT [ARGUMENT…]     runs a command (-c); - reads it from standard input
          sisyphus                               a prompt, where standard input is a terminal
          sisyphus -Version | -Help

          -NonInteractive    questions are errors
          -NoLogo, -NoProfile, -ExecutionPolicy POLICY   accepted as pwsh accepts them; there is no profile

        Arguments are bound as pwsh binds them: -Name value, -Name:value, -Switch, -Switch:$false. After -- everything is a value.
        """;

    public static CommandLine Parse(IReadOnlyList<string> arguments)
    {
        var nonInteractive = false;
        for (var i = 0; i < arguments.Count; i++)
        {
            var argument = arguments[i];
            switch (OptionName(argument))
            {
                case null:
                    return File(argument, arguments.Skip(i + 1), nonInteractive);
                case "nologo" or "noprofile" or "nop":
                    break;
                case "noninteractive" or "noni":
                    nonInteractive = true;
                    break;
                case "executionpolicy" or "ex" or "ep":
                    // The engine reads this variable before any policy of the user's or the machine's.
                    Environment.SetEnvironmentVariable("PSExecutionPolicyPreference", Value(arguments, ++i, argument));
                    break;
                case "workingdirectory" or "wd":
                    Environment.CurrentDirectory = Value(arguments, ++i, argument);
                    break;
                case "version" or "v":
                    return new(HostMode.Version, "", [], nonInteractive);
                case "help" or "h" or "?":
                    return new(HostMode.Help, "", [], nonInteractive);
                case "file" or "f":
                    return File(Value(arguments, ++i, argument), arguments.Skip(i + 1), nonInteractive);
                case "command" or "c":
                    return Command(Value(arguments, ++i, argument), arguments.Skip(i + 1), nonInteractive);
                case "":
                    return new(HostMode.StandardInput, "", [], nonInteractive);
                default:
                    throw new CommandLineException($"Unknown option '{argument}'. See sisyphus -Help.");
            }
        }

        return new(Console.IsInputRedirected ? HostMode.StandardInput : HostMode.Interactive, "", [], nonInteractive);
    }

    private static CommandLine File(string path, IEnumerable<string> rest, bool nonInteractive) =>
        path == "-" ? new(HostMode.StandardInput, "", [], nonInteractive) : new(HostMode.File, path, ScriptArguments.Parse(rest), nonInteractive);

    // pwsh joins what follows -Command by blanks: it is text, not arguments.
    private static CommandLine Command(string text, IEnumerable<string> rest, bool nonInteractive) =>
        text == "-"
            ? new(HostMode.StandardInput, "", [], nonInteractive)
            : new(HostMode.Command, string.Join(' ', rest.Prepend(text)), [], nonInteractive);

    private static string? OptionName(string argument) => argument switch
    {
        ['-', '-', .. var name] when name.Length > 0 => name.ToLowerInvariant(),
        ['-', .. var name] => name.ToLowerInvariant(),
        _ => null,
    };

    private static string Value(IReadOnlyList<string> arguments, int index, string option) =>
        index < arguments.Count ? arguments[index] : throw new CommandLineException($"Option '{option}' needs a value. See sisyphus -Help.");
}
