using System.Management.Automation;

using Sisyphus.Engine.Storage;
using Sisyphus.Engine.Tasks;

namespace Sisyphus.PowerShell.Objects;

/// <summary>What a remote path on a command line names: one object, everything under a prefix, or what a PowerShell pattern matches.</summary>
internal sealed class RemoteQuery
{
    private readonly RemotePath _path;
    private readonly WildcardPattern? _pattern;

    private RemoteQuery(RemotePath path, WildcardPattern? pattern)
    {
        _path = path;
        _pattern = pattern;
    }

    /// <summary>Names one object; otherwise any number.</summary>
    public bool IsSingle => _pattern is null && !_path.IsPrefix;

    public bool IsPattern => _pattern is not null;

    /// <exception cref="FormatException">The text is no remote path.</exception>
    public static RemoteQuery Parse(string text, bool literal)
    {
        var path = RemotePath.Parse(text);
        // What begins with ? there is a query, and the web has no lists for patterns.
        literal |= path.IsWeb;
        if (literal || !WildcardPattern.ContainsWildcardCharacters(path.Key))
            return new RemoteQuery(literal ? path : path.WithKey(WildcardPattern.Unescape(path.Key)), null);
        var first = path.Key.AsSpan().IndexOfAny('*', '?', '[');
        // A backtick makes the next character ordinary; the prefix to list ends before it, which lists more and matches the same.
        var escape = path.Key.AsSpan(0, first).IndexOf('`');
        var prefix = path.Key[..(escape < 0 ? first : escape)];
        return new RemoteQuery(path.WithKey(prefix), WildcardPattern.Get(path.Key, WildcardOptions.CultureInvariant));
    }

    /// <summary>The store and the objects with their names; what <paramref name="reserved"/> leaves out is the engine's own.</summary>
    public async IAsyncEnumerable<FoundObject> FindAsync(ObjectStores stores, bool reserved, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var location = stores.Resolve(_path);
        if (IsSingle)
        {
            if (await location.Store.StatAsync(location.Bucket, location.Key, cancellationToken).ConfigureAwait(false) is { } info)
                yield return new FoundObject(location.Store, info, _path.ToString(), NameOf(_path.WithoutQuery().Key), _path.Written);
            yield break;
        }
        // A pattern's results are named from the last folder before the first wildcard.
        var folder = _path.Key.LastIndexOf('/') + 1;
        await foreach (var info in location.Store.ListForUserAsync(location.Bucket, location.Key, reserved, cancellationToken).ConfigureAwait(false))
        {
            var key = _path.Key + info.Key[location.Key.Length..];
            if (_pattern is null || _pattern.IsMatch(key))
                yield return new FoundObject(location.Store, info, _path.WithKey(key).ToString(), key[folder..], _path.WithKey(key).Written);
        }
    }

    /// <summary>Whether everything below the other path is listed for this query, too.</summary>
    public bool Lists(ObjectStores stores, RemotePath other)
    {
        if (IsSingle)
            return false;
        try
        {
            var (outer, inner) = (stores.Resolve(_path), stores.Resolve(other));
            return ReferenceEquals(outer.Store, inner.Store) && outer.Bucket == inner.Bucket && inner.Key.StartsWith(outer.Key, StringComparison.Ordinal);
        }
        catch (TaskFailureException)
        {
            return false; // Whoever lists or writes there is told why.
        }
    }

    private static string NameOf(string key) => key[(key.LastIndexOf('/') + 1)..];
}

/// <param name="RemotePath">As messages name it.</param>
/// <param name="RelativeName">What it is called below a prefix or folder that it is copied to.</param>
/// <param name="Written">As a user writes it, with a URL's query.</param>
internal sealed record FoundObject(IObjectStore Store, ObjectInfo Info, string RemotePath, string RelativeName, string Written);
