using System.Collections.ObjectModel;
using System.Management.Automation;
using System.Management.Automation.Host;
using System.Security;

namespace Sisyphus.Host;

/// <summary>The streams, shown as pwsh shows them, and the questions.</summary>
internal sealed class UserInterface(Screen screen, bool canAsk) : PSHostUserInterface, IHostUISupportsMultipleChoiceSelection
{
    private readonly Questions _questions = new(screen, canAsk);

    public override PSHostRawUserInterface RawUI { get; } = new RawInterface(screen);

    public override bool SupportsVirtualTerminal => screen.HasColour;

    public override void Write(string value) => screen.Write(value);

    public override void Write(ConsoleColor foregroundColor, ConsoleColor backgroundColor, string value) =>
        screen.Write(Coloured(foregroundColor, backgroundColor, value));

    public override void WriteLine(string value) => screen.Write(value + Environment.NewLine);

    public override void WriteLine(ConsoleColor foregroundColor, ConsoleColor backgroundColor, string value) =>
        screen.Write(Coloured(foregroundColor, backgroundColor, value) + Environment.NewLine);

    public override void WriteErrorLine(string value) =>
        screen.WriteError(Styled(PSStyle.Instance.Formatting.Error, value, screen.ErrorHasColour) + Environment.NewLine);

    public override void WriteWarningLine(string message) =>
        WriteLine(Styled(PSStyle.Instance.Formatting.Warning, $"WARNING: {message}", screen.HasColour));

    public override void WriteVerboseLine(string message) =>
        WriteLine(Styled(PSStyle.Instance.Formatting.Verbose, $"VERBOSE: {message}", screen.HasColour));

    public override void WriteDebugLine(string message) =>
        WriteLine(Styled(PSStyle.Instance.Formatting.Debug, $"DEBUG: {message}", screen.HasColour));

    public override void WriteInformation(InformationRecord record)
    {
        // The engine itself shows the record (through Write or WriteLine) where the preference asks for it.
    }

    public override void WriteProgress(long sourceId, ProgressRecord record) => screen.Progress.Report(sourceId, record);

    public override string ReadLine() => _questions.ReadLine();

    public override SecureString ReadLineAsSecureString() => _questions.ReadSecret();

    public override Dictionary<string, PSObject?> Prompt(string caption, string message, Collection<FieldDescription> descriptions) =>
        _questions.AskFields(caption, message, descriptions);

    public override int PromptForChoice(string caption, string message, Collection<ChoiceDescription> choices, int defaultChoice) =>
        _questions.AskChoice(caption, message, choices, defaultChoice);

    public Collection<int> PromptForChoice(string? caption, string? message, Collection<ChoiceDescription> choices, IEnumerable<int>? defaultChoices) =>
        _questions.AskChoices(caption, message, choices, defaultChoices ?? []);

    public override PSCredential PromptForCredential(string caption, string message, string userName, string targetName) =>
        PromptForCredential(caption, message, userName, targetName, PSCredentialTypes.Default, PSCredentialUIOptions.Default);

    public override PSCredential PromptForCredential(
        string caption, string message, string userName, string targetName, PSCredentialTypes allowedCredentialTypes, PSCredentialUIOptions options) =>
        _questions.AskCredential(caption, message, userName);

    private static string Styled(string style, string text, bool colour) => colour ? $"{style}{text}{PSStyle.Instance.Reset}" : text;

    private string Coloured(ConsoleColor foreground, ConsoleColor background, string text)
    {
        if (!screen.HasColour)
            return text;
        // Write-Host hands over the console's own colours where none were asked for.
        var start = foreground == RawUI.ForegroundColor ? "" : PSStyle.MapForegroundColorToEscapeSequence(foreground);
        start += background == RawUI.BackgroundColor ? "" : PSStyle.MapBackgroundColorToEscapeSequence(background);
        return start.Length == 0 ? text : $"{start}{text}{PSStyle.Instance.Reset}";
    }
}
