using System.Collections.Concurrent;

using Sisyphus.Engine.Containers;
using Sisyphus.Engine.Tasks;

namespace Sisyphus.Engine.Execution;

/// <summary>Containers of this run that would not go when they should have, by their labels.</summary>
internal sealed class Leftovers(IContainerEngine engine)
{
    private readonly ConcurrentDictionary<IReadOnlyDictionary<string, string>, bool> _labels = [];
    private volatile bool _unnamed;

    public void Add(IReadOnlyDictionary<string, string> labels) => _labels.TryAdd(labels, true);

    /// <summary>One that can't be told by labels from what still runs; it is left to the next process on the work directory.</summary>
    public void AddUnnamed() => _unnamed = true;

    /// <summary>Tries again.</summary>
    /// <returns>Whether nothing is left.</returns>
    public async Task<bool> SweepAsync(CancellationToken cancellationToken)
    {
        foreach (var labels in _labels.Keys)
        {
            try
            {
                await engine.SweepAsync(labels, cancellationToken).ConfigureAwait(false);
                _labels.TryRemove(labels, out _);
            }
            catch (TaskFailureException)
            {
                // The engine is still gone.
            }
        }

        return _labels.IsEmpty && !_unnamed;
    }
}
