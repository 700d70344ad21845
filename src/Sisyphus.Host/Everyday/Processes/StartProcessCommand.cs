using System.Collections;
using System.Diagnostics;
using System.Management.Automation;
using Sisyphus.Host;

namespace Microsoft.PowerShell.Commands;

/// <summary>Starts a program directly, never through the desktop; its streams are those of this process unless they are redirected.</summary>
[Cmdlet(VerbsLifecycle.Start, "Process", SupportsShouldProcess = true)]
[OutputType(typeof(Process))]
public sealed class StartProcessCommand : PSCmdlet, IDisposable
{
    private readonly CancellationTokenSource _stop = new();

    [Parameter(Mandatory = true, Position = 0)]
    [Alias("PSPath", "Path")]
    public string FilePath { get; set; } = "";

    [Parameter(Position = 1)]
    [Alias("Args")]
    public string[] ArgumentList { get; set; } = [];

    [Parameter]
    public string? WorkingDirectory { get; set; }

    [Parameter]
    public Hashtable? Environment { get; set; }

    [Parameter]
    [Alias("RSI")]
    public string? RedirectStandardInput { get; set; }

    [Parameter]
    [Alias("RSO")]
    public string? RedirectStandardOutput { get; set; }

    [Parameter]
    [Alias("RSE")]
    public string? RedirectStandardError { get; set; }

    [Parameter]
    [Alias("nnw")]
    public SwitchParameter NoNewWindow { get; set; }

    [Parameter]
    public SwitchParameter PassThru { get; set; }

    [Parameter]
    public SwitchParameter Wait { get; set; }

    protected override void BeginProcessing()
    {
        if (!ShouldProcess(FilePath))
            return;
        var process = Start();
        var streams = Task.WhenAll(Redirect(process));
        if (Wait)
        {
            try
            {
                process.WaitForExitAsync(_stop.Token).GetAwaiter().GetResult();
                streams.WaitAsync(_stop.Token).GetAwaiter().GetResult();
            }
            catch (OperationCanceledException)
            {
                return;
            }
        }

        if (PassThru)
            WriteObject(process);
    }

    protected override void StopProcessing() => _stop.Cancel();

    public void Dispose() => _stop.Dispose();

    private Process Start()
    {
        var start = new ProcessStartInfo(Program())
        {
            // pwsh hands the arguments over as they are, one blank between two.
            Arguments = string.Join(' ', ArgumentList),
            WorkingDirectory = WorkingDirectory is null ? SessionState.Path.CurrentFileSystemLocation.ProviderPath : Full(WorkingDirectory),
            RedirectStandardInput = RedirectStandardInput is not null,
            RedirectStandardOutput = RedirectStandardOutput is not null,
            RedirectStandardError = RedirectStandardError is not null,
        };
        foreach (DictionaryEntry entry in Environment ?? [])
            start.Environment[entry.Key.ToString()!] = entry.Value?.ToString();
        try
        {
            return System.Diagnostics.Process.Start(start)!;
        }
        catch (Exception e) when (EverydayErrors.IsItemError(e))
        {
            ThrowTerminatingError(new ErrorRecord(
                new InvalidOperationException($"This command cannot be run due to the error: {e.Message}", e), "InvalidOperationException", ErrorCategory.InvalidOperation, FilePath));
            throw;
        }
    }

    // A path is relative to the session's location, a bare name is looked for as a command.
    private string Program()
    {
        if (FilePath.AsSpan().ContainsAny('/', '\\'))
            return Full(FilePath);
        return InvokeCommand.GetCommand(FilePath, CommandTypes.Application) is ApplicationInfo application ? application.Path : FilePath;
    }

    // The copies belong to the process: they end when it closes its streams, with or without -Wait.
    private IEnumerable<Task> Redirect(Process process)
    {
        if (RedirectStandardOutput is not null)
            yield return CopyAsync(process.StandardOutput.BaseStream, File.Create(Full(RedirectStandardOutput)));
        if (RedirectStandardError is not null)
            yield return CopyAsync(process.StandardError.BaseStream, File.Create(Full(RedirectStandardError)));
        if (RedirectStandardInput is not null)
            yield return CopyAsync(File.OpenRead(Full(RedirectStandardInput)), process.StandardInput.BaseStream);
    }

    private static async Task CopyAsync(Stream from, Stream to)
    {
        await using (from.ConfigureAwait(false))
        await using (to.ConfigureAwait(false))
        {
            // Flushed at each read, so that a log can be followed.
            var buffer = new byte[16 * 1024];
            int read;
            while ((read = await from.ReadAsync(buffer).ConfigureAwait(false)) > 0)
            {
                await to.WriteAsync(buffer.AsMemory(0, read)).ConfigureAwait(false);
                await to.FlushAsync().ConfigureAwait(false);
            }
        }
    }

    private string Full(string path) => SessionState.Path.GetUnresolvedProviderPathFromPSPath(path);
}
