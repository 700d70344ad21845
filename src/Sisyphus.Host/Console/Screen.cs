using System.Management.Automation;
using System.Management.Automation.Host;

namespace Sisyphus.Host;

/// <summary>The one place that writes to the console, so that text and the progress pane do not overwrite each other.</summary>
internal sealed class Screen : IDisposable
{
    private readonly Lock _gate = new();
    private bool _lineIsOpen;

    public Screen()
    {
        IsTerminal = !Console.IsOutputRedirected && Environment.GetEnvironmentVariable("TERM") != "dumb";
        HasColour = IsTerminal && string.IsNullOrEmpty(Environment.GetEnvironmentVariable("NO_COLOR"));
        ErrorHasColour = HasColour && !Console.IsErrorRedirected;
        if (!HasColour)
            PSStyle.Instance.OutputRendering = OutputRendering.PlainText;
        Progress = new ProgressPane(this);
    }

    public void Dispose() => Progress.Dispose();

    public bool IsTerminal { get; }

    public bool HasColour { get; }

    public bool ErrorHasColour { get; }

    public ProgressPane Progress { get; }

    public int Width
    {
        get
        {
            try
            {
                return IsTerminal && Console.WindowWidth > 0 ? Console.WindowWidth : DefaultWidth;
            }
            catch (IOException)
            {
                return DefaultWidth;
            }
        }
    }

    // What pwsh formats for where nobody looks.
    private const int DefaultWidth = 120;

    public void Write(string text)
    {
        if (text.Length == 0)
            return;
        lock (_gate)
        {
            Progress.EraseLocked();
            Console.Out.Write(PSHostUserInterface.GetOutputString(text, HasColour));
            _lineIsOpen = text[^1] != '\n';
            if (!_lineIsOpen)
                Progress.DrawLocked();
        }
    }

    public void WriteError(string text)
    {
        lock (_gate)
        {
            Progress.EraseLocked();
            Console.Out.Flush();
            Console.Error.Write(PSHostUserInterface.GetOutputString(text, ErrorHasColour));
            if (!_lineIsOpen)
                Progress.DrawLocked();
        }
    }

    /// <summary>Runs a change of the pane under the same lock; the pane stays away from a line that is not finished.</summary>
    public void Update(Action change, bool draw = true)
    {
        lock (_gate)
        {
            change();
            if (draw && !_lineIsOpen)
                Progress.DrawLocked();
        }
    }
}
