using System.Management.Automation;
using System.Runtime.InteropServices;

namespace Sisyphus.Host;

/// <summary>
/// Ctrl+C and SIGTERM stop the running pipeline: its <c>finally</c> blocks run and cmdlets end their work. A third Ctrl+C
/// ends the process at once.
/// </summary>
internal sealed class StopSignals : IDisposable
{
    private const int Interrupted = 128 + 2;
    private const int Terminated = 128 + 15;

    private readonly bool _exitWhenIdle;
    private readonly Lock _gate = new();
    private readonly List<PosixSignalRegistration> _registrations = [];
    private PowerShell? _running;
    private bool _stopping;
    private int _further;

    /// <param name="exitWhenIdle">Whether Ctrl+C ends the process while no pipeline runs (not at a prompt).</param>
    public StopSignals(bool exitWhenIdle)
    {
        _exitWhenIdle = exitWhenIdle;
        foreach (var (signal, code) in new[] { (PosixSignal.SIGINT, Interrupted), (PosixSignal.SIGTERM, Terminated), (PosixSignal.SIGQUIT, Interrupted) })
            _registrations.Add(PosixSignalRegistration.Create(signal, context => Handle(context, code)));
    }

    /// <summary>128 + the signal, as shells report it, once a signal has asked for the end.</summary>
    public int? ExitCode { get; private set; }

    public IDisposable Watch(PowerShell shell)
    {
        lock (_gate)
        {
            (_running, _stopping, _further) = (shell, false, 0);
            return new Watching(this);
        }
    }

    public void Dispose() => _registrations.ForEach(r => r.Dispose());

    private void Handle(PosixSignalContext context, int code)
    {
        context.Cancel = true;
        lock (_gate)
        {
            // The second one is for a cmdlet that ends its work in two steps, as a node does.
            var hard = _stopping && code == Interrupted && ++_further > 1;
            if (_exitWhenIdle || code == Terminated)
                ExitCode = code;
            if (hard || (_running is null && ExitCode is not null))
                Environment.Exit(code);
            if (_running is null || _stopping)
                return;
            _stopping = true;
            // Not awaited: Invoke returns when the pipeline has ended, and the handler must stay free for the second signal.
            _ = _running.BeginStop(null, null);
        }
    }

    private sealed class Watching(StopSignals signals) : IDisposable
    {
        public void Dispose()
        {
            lock (signals._gate)
                signals._running = null;
        }
    }
}
