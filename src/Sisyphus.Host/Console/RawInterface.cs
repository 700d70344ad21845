using System.Management.Automation.Host;

namespace Sisyphus.Host;

/// <summary>The console as a grid of cells, as far as System.Console offers it on every platform.</summary>
internal sealed class RawInterface(Screen screen) : PSHostRawUserInterface
{
    private const int DefaultHeight = 50;

    private Size WindowOrDefault => new(screen.Width, screen.IsTerminal && Console.WindowHeight > 0 ? Console.WindowHeight : DefaultHeight);

    public override ConsoleColor ForegroundColor
    {
        get => Console.ForegroundColor;
        set => Console.ForegroundColor = value;
    }

    public override ConsoleColor BackgroundColor
    {
        get => Console.BackgroundColor;
        set => Console.BackgroundColor = value;
    }

    public override Coordinates CursorPosition
    {
        get => screen.IsTerminal ? new(Console.CursorLeft, Console.CursorTop) : default;
        set => Console.SetCursorPosition(value.X, value.Y);
    }

    public override int CursorSize
    {
        get => Console.CursorSize;
        set
        {
            if (OperatingSystem.IsWindows())
                Console.CursorSize = value;
        }
    }

    public override Coordinates WindowPosition
    {
        get => default;
        set { }
    }

    public override Size BufferSize
    {
        get => WindowOrDefault;
        set { }
    }

    public override Size WindowSize
    {
        get => WindowOrDefault;
        set { }
    }

    public override Size MaxWindowSize => WindowOrDefault;

    public override Size MaxPhysicalWindowSize => WindowOrDefault;

    public override bool KeyAvailable => !Console.IsInputRedirected && Console.KeyAvailable;

    public override string WindowTitle
    {
        get => OperatingSystem.IsWindows() ? Console.Title : "";
        set
        {
            if (screen.IsTerminal)
                Console.Title = value;
        }
    }

    public override KeyInfo ReadKey(ReadKeyOptions options)
    {
        var key = Console.ReadKey(intercept: options.HasFlag(ReadKeyOptions.NoEcho));
        return new KeyInfo((int)key.Key, key.KeyChar, default, keyDown: true);
    }

    public override void FlushInputBuffer()
    {
        while (KeyAvailable)
            Console.ReadKey(intercept: true);
    }

    // Clear-Host of the engine comes here with all four corners at -1.
    public override void SetBufferContents(Rectangle rectangle, BufferCell fill)
    {
        if (screen.IsTerminal)
            Console.Clear();
    }

    public override BufferCell[,] GetBufferContents(Rectangle rectangle) => throw NotOffered();

    public override void SetBufferContents(Coordinates origin, BufferCell[,] contents) => throw NotOffered();

    public override void ScrollBufferContents(Rectangle source, Coordinates destination, Rectangle clip, BufferCell fill) => throw NotOffered();

    private static NotSupportedException NotOffered() => new("A terminal's contents cannot be read or moved.");
}
