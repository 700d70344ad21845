using System.Runtime.InteropServices;

using Sisyphus.Engine.Nodes;

namespace Sisyphus.PowerShell.Running;

/// <summary>While a node runs, the first Ctrl+C or SIGTERM drains it and the second abandons it. A third one is the host's.</summary>
internal sealed class NodeSignals : IDisposable
{
    private const int Handled = 2;

    private readonly Node _node;
    private readonly Action<string> _say;
    private readonly PosixSignalRegistration[] _registrations;
    private int _count;

    /// <param name="say">Must be callable from any thread, also while the pipeline is stopping.</param>
    public NodeSignals(Node node, Action<string> say)
    {
        (_node, _say) = (node, say);
        _registrations = [PosixSignalRegistration.Create(PosixSignal.SIGINT, Handle), PosixSignalRegistration.Create(PosixSignal.SIGTERM, Handle)];
    }

    public void Dispose()
    {
        foreach (var registration in _registrations)
            registration.Dispose();
    }

    private void Handle(PosixSignalContext context)
    {
        var count = Interlocked.Increment(ref _count);
        if (count > Handled)
            return;
        context.Cancel = true;
        if (count == 1)
        {
            _node.Drain();
            _say("The node drains: running tasks finish, nothing new is taken. A second signal stops their containers and puts the tasks back on the queue.");
        }
        else
        {
            _node.Abandon();
            _say("The node stops its containers and puts their tasks back on the queue.");
        }
    }
}
