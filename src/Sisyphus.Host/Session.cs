using System.Management.Automation;
using System.Management.Automation.Language;
using System.Management.Automation.Runspaces;

namespace Sisyphus.Host;

/// <summary>One runspace and the pipelines that run in it, one after the other; a signal stops the one that runs.</summary>
internal sealed class Session : IDisposable
{
    private const string SucceededVariable = "__SisyphusLastCommandSucceeded";

    private readonly Runspace _runspace;
    private readonly StopSignals _signals;

    public Session(CommandLine commandLine)
    {
        var interactive = commandLine.Mode == HostMode.Interactive;
        Host = new ScriptHost(canAsk: !commandLine.NonInteractive);
        _runspace = RunspaceFactory.CreateRunspace(Host, SessionDefaults.Create());
        _runspace.ThreadOptions = PSThreadOptions.ReuseThread;
        _runspace.Open();
        Runspace.DefaultRunspace = _runspace;
        SessionDefaults.AfterOpen(_runspace);
        _signals = new StopSignals(exitWhenIdle: !interactive);
    }

    public ScriptHost Host { get; }

    /// <summary>The exit code of <c>pwsh -File</c>: what <c>exit</c> said, 1 after an uncaught error, otherwise 0.</summary>
    public int RunFile(string path, IReadOnlyList<CommandParameter> arguments)
    {
        var full = Path.GetFullPath(path);
        if (!File.Exists(full))
        {
            Host.UI.WriteErrorLine($"The argument '{path}' is not the name of a script file. See sisyphus -Help.");
            return CommandLine.UsageExitCode;
        }

        // Global scope, as pwsh does: what the script sets is there for the commands it calls.
        var command = new Command(full, isScript: false, useLocalScope: false);
        foreach (var argument in arguments)
            command.Parameters.Add(argument);
        EngineInternals.LetExitEndTheSession(_runspace);
        return ExitCode(Invoke(command));
    }

    /// <summary>The exit code of <c>pwsh -Command</c>: what <c>exit</c> said, otherwise 0 or 1 by <c>$?</c>.</summary>
    public int RunCommand(string text)
    {
        var completed = Invoke(new Command(AskWhetherSucceeded(text), isScript: true, useLocalScope: false));
        return ExitCode(completed && !LastCommandFailed());
    }

    /// <summary>Runs a command, its output and errors going to the host; false after a terminating error.</summary>
    public bool Invoke(Command command, bool addToHistory = false)
    {
        using var shell = PowerShell.Create(_runspace);
        command.MergeMyResults(PipelineResultTypes.Error, PipelineResultTypes.Output);
        shell.Commands.AddCommand(command).AddCommand("Out-Default");
        KeepNothing(shell.Streams);
        try
        {
            using (_signals.Watch(shell))
                shell.Invoke(null, new PSInvocationSettings { AddToHistory = addToHistory });
            return true;
        }
        catch (PipelineStoppedException)
        {
            return false;
        }
        catch (RuntimeException e)
        {
            Report(e.ErrorRecord);
            return false;
        }
        finally
        {
            Host.Screen.Progress.Clear();
        }
    }

    // The host has shown each record by then; kept, those of a long script would fill the memory.
    private static void KeepNothing(PSDataStreams streams)
    {
        Discard(streams.Information);
        Discard(streams.Verbose);
        Discard(streams.Debug);
        Discard(streams.Warning);
        Discard(streams.Progress);

        static void Discard<T>(PSDataCollection<T> records) => records.DataAdded += (_, _) => records.Clear();
    }

    /// <summary>Runs text for its values, without showing them.</summary>
    public IReadOnlyList<PSObject> Evaluate(string text)
    {
        using var shell = PowerShell.Create(_runspace);
        return shell.AddScript(text, useLocalScope: false).Invoke();
    }

    public CommandCompletion Complete(string text, int cursor)
    {
        using var shell = PowerShell.Create(_runspace);
        return CommandCompletion.CompleteInput(text, cursor, null, shell);
    }

    public void Dispose()
    {
        _signals.Dispose();
        _runspace.Dispose();
        Host.Dispose();
    }

    private int ExitCode(bool succeeded) => _signals.ExitCode ?? Host.ExitCode ?? (succeeded ? 0 : 1);

    // The engine sets $? to true at a pipeline's end, so the text's own last statement has to ask. Named blocks allow none after them.
    private static string AskWhetherSucceeded(string text)
    {
        var script = Parser.ParseInput(text, out _, out var errors);
        return errors.Length > 0 || script.EndBlock is not { Unnamed: true } ? text : $"{text}\n$global:{SucceededVariable} = $?";
    }

    private bool LastCommandFailed()
    {
        var variables = _runspace.SessionStateProxy.PSVariable;
        return variables.GetValue(SucceededVariable) is false;
    }

    private void Report(ErrorRecord error)
    {
        var record = PSObject.AsPSObject(error);
        EngineInternals.MarkAsError(record);
        using var shell = PowerShell.Create(_runspace);
        shell.AddScript("param($record) $global:Error.Insert(0, $record)", useLocalScope: true).AddArgument(error).Invoke();
        shell.Commands.Clear();
        shell.AddCommand("Out-Default").Invoke(new[] { record });
    }
}
