using System.Collections.Concurrent;

namespace Sisyphus.Engine.Execution.Publishing;

/// <summary>How far an attempt's publication has come, kept from one try to the next: what has arrived is not sent again, and what may be decided is not thrown away.</summary>
internal sealed class PublicationState
{
    private readonly ConcurrentDictionary<int, DecidedOutput> _staged = [];
    private readonly ConcurrentDictionary<int, bool> _promoted = [];
    private volatile bool _mayBeDecided;

    /// <summary>The decision was asked for: from then on an error says nothing of whether it stands.</summary>
    public bool MayBeDecided
    {
        get => _mayBeDecided;
        set => _mayBeDecided = value;
    }

    /// <summary>Grows with each output that is staged, and again when it is at its final key.</summary>
    public int Arrived => _staged.Count + _promoted.Count;

    public DecidedOutput? FindStaged(int index) => _staged.GetValueOrDefault(index);

    public DecidedOutput AddStaged(int index, DecidedOutput output) => _staged[index] = output;

    public void AddPromoted(int index) => _promoted[index] = true;
}
