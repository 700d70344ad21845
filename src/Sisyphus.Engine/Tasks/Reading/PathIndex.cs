namespace Sisyphus.Engine.Tasks.Reading;

/// <summary>Things by their path, with answers to "what is here, above or below" that take the length of a path, not the number of things:
/// a document of a megabyte must not keep a node busy.</summary>
internal sealed class PathIndex<T>
    where T : class
{
    // Made with the first item: most documents have few of the things that are looked for.
    private Dictionary<string, T>? _at;
    private Dictionary<string, T>? _below;

    internal T? At(string path) => _at?.GetValueOrDefault(path);

    internal T? Below(string path) => _below?.GetValueOrDefault(path);

    internal T? Above(string path)
    {
        if (_at is null)
            return null;
        var at = _at.GetAlternateLookup<ReadOnlySpan<char>>();
        for (var end = path.LastIndexOf('/'); end > 0; end = path.AsSpan(0, end).LastIndexOf('/'))
        {
            if (at.TryGetValue(path.AsSpan(0, end), out var item))
                return item;
        }
        return null;
    }

    /// <summary>Something in the same place, or around it, or in it.</summary>
    internal T? Near(string path) => At(path) ?? Above(path) ?? Below(path);

    /// <summary>Adds the item; at a path that has one already the first stays.</summary>
    internal void Add(string path, T item)
    {
        (_at ??= new(StringComparer.Ordinal)).TryAdd(path, item);
        var below = (_below ??= new(StringComparer.Ordinal)).GetAlternateLookup<ReadOnlySpan<char>>();
        for (var end = path.LastIndexOf('/'); end > 0 && below.TryAdd(path.AsSpan(0, end), item); end = path.AsSpan(0, end).LastIndexOf('/'))
        {
            // A directory that is known has all its parents in the index.
        }
    }
}
