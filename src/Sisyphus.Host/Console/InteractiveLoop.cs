using System.Management.Automation.Language;
using System.Management.Automation.Runspaces;
using System.Text;

namespace Sisyphus.Host;

/// <summary>The prompt: read until the text parses, run, again, until <c>exit</c> or the end of the input.</summary>
internal sealed class InteractiveLoop(Session session)
{
    private readonly LineEditor _editor = new(session);

    public int Run()
    {
        session.Host.UI.WriteLine($"Sisyphus {ScriptHost.ProductVersion} on PowerShell {ScriptHost.EngineVersion}. 'exit' leaves.");
        while (session.Host.ExitCode is null)
        {
            if (Read() is not { } text)
                break;
            if (string.IsNullOrWhiteSpace(text))
                continue;
            var command = new Command(text, isScript: true, useLocalScope: false);
            session.Invoke(command, addToHistory: true);
        }

        return session.Host.ExitCode ?? 0;
    }

    private string? Read()
    {
        var text = new StringBuilder();
        var prompt = Prompt();
        while (true)
        {
            switch (_editor.ReadLine(prompt))
            {
                case { Canceled: true }:
                    return "";
                case { Text: null }:
                    return null;
                case { Text: var line }:
                    text.AppendLine(line);
                    break;
            }

            Parser.ParseInput(text.ToString(), out _, out var errors);
            if (!errors.Any(e => e.IncompleteInput))
            {
                _editor.Remember(text.ToString().TrimEnd());
                return text.ToString();
            }

            prompt = ">> ";
        }
    }

    private string Prompt()
    {
        try
        {
            var text = string.Concat(session.Evaluate("prompt"));
            return text.Length > 0 ? text : "PS>";
        }
        catch (System.Management.Automation.RuntimeException)
        {
            // A prompt function that fails must not end the session.
            return "PS>";
        }
    }
}
