using System.Threading.Channels;

using Sisyphus.Engine.Execution;

namespace Sisyphus.Engine.Nodes;

/// <summary>The node's end of its event channel. Progress is dropped when the reader is slow; states and ends are kept, and only ends make their slot wait.</summary>
internal sealed class NodeEvents
{
    private const int Capacity = 1024;
    /// <summary>Room that progress leaves to what has to be kept.</summary>
    private const int Reserve = 256;
    /// <summary>States kept for a reader that does not read at all: the latest.</summary>
    private const int MaxStates = 256;

    private readonly Channel<NodeEvent> _channel = Channel.CreateBounded<NodeEvent>(Capacity);
    private readonly Queue<NodeStateChanged> _states = [];
    private readonly Lock _gate = new();

    public ChannelReader<NodeEvent> Reader => _channel.Reader;

    /// <summary>Dropped when there is little room.</summary>
    public void Offer(NodeEvent happened)
    {
        lock (_gate)
        {
            if (TryFlush() && _channel.Reader.Count < Capacity - Reserve)
                _channel.Writer.TryWrite(happened);
        }
    }

    /// <summary>Never waits.</summary>
    public void Tell(NodeStateChanged state)
    {
        lock (_gate)
        {
            if (_states.Count == MaxStates)
                _states.Dequeue();
            _states.Enqueue(state);
            TryFlush();
        }
    }

    /// <summary>Waits for room; gives up with the token.</summary>
    public async Task KeepAsync(TaskFinished finished, string title, CancellationToken cancellationToken)
    {
        try
        {
            while (!TryKeep(new NodeTaskEvent(finished, title)) && await _channel.Writer.WaitToWriteAsync(cancellationToken).ConfigureAwait(false))
            {
            }
        }
        catch (OperationCanceledException)
        {
            // The node is abandoned: nobody waits for a reader any more.
        }
    }

    /// <summary>Hands on states that found no room; called now and then.</summary>
    public void Flush()
    {
        lock (_gate)
            TryFlush();
    }

    public void Complete()
    {
        Flush();
        _channel.Writer.TryComplete();
    }

    private bool TryKeep(NodeTaskEvent happened)
    {
        lock (_gate)
            return TryFlush() && _channel.Writer.TryWrite(happened);
    }

    private bool TryFlush()
    {
        while (_states.TryPeek(out var state))
        {
            if (!_channel.Writer.TryWrite(state))
                return false;
            _states.Dequeue();
        }

        return true;
    }
}
