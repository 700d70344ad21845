using Sisyphus.Host;

// Before the engine's first line runs: it reports its use to its makers otherwise.
Environment.SetEnvironmentVariable("POWERSHELL_TELEMETRY_OPTOUT", "1");

CommandLine commandLine;
try
{
    commandLine = CommandLine.Parse(args);
}
catch (CommandLineException e)
{
    Console.Error.WriteLine(e.Message);
    return CommandLine.UsageExitCode;
}

return commandLine.Mode switch
{
    HostMode.Help => Print(CommandLine.Usage),
    HostMode.Version => Print($"Sisyphus {ScriptHost.ProductVersion}, PowerShell {ScriptHost.EngineVersion}"),
    _ => Run(commandLine),
};

static int Print(string text)
{
    Console.WriteLine(text);
    return 0;
}

static int Run(CommandLine commandLine)
{
    using var session = new Session(commandLine);
    return commandLine.Mode switch
    {
        HostMode.File => session.RunFile(commandLine.Target, commandLine.Arguments),
        HostMode.Command => session.RunCommand(commandLine.Target),
        HostMode.StandardInput => session.RunCommand(Console.In.ReadToEnd()),
        _ => new InteractiveLoop(session).Run(),
    };
}
