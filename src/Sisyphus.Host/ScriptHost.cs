using System.Globalization;
using System.Management.Automation;
using System.Management.Automation.Host;
using System.Reflection;
using System.Text;

namespace Sisyphus.Host;

/// <summary>The engine's view of this process.</summary>
internal sealed class ScriptHost : PSHost, IDisposable
{
    private readonly UserInterface _ui;

    public ScriptHost(bool canAsk)
    {
        // Native commands and files of today are UTF-8; on Windows the console's code page would win otherwise.
        if (OperatingSystem.IsWindows())
            Console.OutputEncoding = Console.InputEncoding = new UTF8Encoding(encoderShouldEmitUTF8Identifier: false);
        Screen = new Screen();
        _ui = new UserInterface(Screen, canAsk);
    }

    public void Dispose() => Screen.Dispose();

    public static string ProductVersion { get; } =
        typeof(ScriptHost).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion.Split('+')[0];

    public static string EngineVersion { get; } =
        typeof(PowerShell).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion.Split([' ', '+'])[0];

    public Screen Screen { get; }

    /// <summary>What <c>exit</c> asked for; null as long as nobody did.</summary>
    public int? ExitCode { get; private set; }

    public override string Name => "Sisyphus";

    public override Guid InstanceId { get; } = Guid.NewGuid();

    public override Version Version { get; } = typeof(ScriptHost).Assembly.GetName().Version!;

    public override PSHostUserInterface UI => _ui;

    public override CultureInfo CurrentCulture { get; } = CultureInfo.CurrentCulture;

    public override CultureInfo CurrentUICulture { get; } = CultureInfo.CurrentUICulture;

    public override void SetShouldExit(int exitCode) => ExitCode = exitCode;

    public override void EnterNestedPrompt() => throw new PSNotImplementedException("This host has no nested prompts.");

    public override void ExitNestedPrompt() => throw new PSNotImplementedException("This host has no nested prompts.");

    // A native command draws on the terminal itself.
    public override void NotifyBeginApplication() => Screen.Progress.Hide();

    public override void NotifyEndApplication()
    {
    }
}
