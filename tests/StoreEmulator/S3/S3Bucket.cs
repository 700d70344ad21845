using Sisyphus.Tests.StoreEmulator.Objects;

namespace Sisyphus.Tests.StoreEmulator.S3;

/// <summary>Objects by their keys' UTF-8 bytes, and what is on its way. Every use is under the lock.</summary>
internal sealed class S3Bucket(string name, bool keepsVersions, DateTimeOffset created)
{
    private readonly SortedDictionary<string, List<S3Object>> _objects = new(Utf8Order.Instance);
    private int _versions;

    public string Name => name;

    public bool KeepsVersions { get; set; } = keepsVersions;

    public DateTimeOffset Created => created;

    public Lock Lock { get; } = new();

    public Dictionary<string, S3Upload> Uploads { get; } = [];

    /// <summary>Keys that somebody writes on a condition at this moment.</summary>
    public HashSet<string> Conditional { get; } = [];

    public bool IsEmpty => _objects.Count == 0;

    /// <summary>The current objects, in order.</summary>
    public IEnumerable<S3Object> Current => _objects.Values.Select(versions => versions[^1]).Where(current => !current.IsDeleteMarker);

    public S3Object? Find(string key, string? version = null)
    {
        var versions = _objects.GetValueOrDefault(key);
        return version is null ? versions?[^1] is { IsDeleteMarker: false } current ? current : null : versions?.Find(one => one.Version == version);
    }

    public S3Object Put(S3Object put)
    {
        if (!KeepsVersions)
        {
            _objects[put.Key] = [put];
            return put;
        }
        var kept = put with { Version = $"v{++_versions:D8}.{Guid.NewGuid():N}" };
        if (_objects.TryGetValue(put.Key, out var versions))
            versions.Add(kept);
        else
            _objects[put.Key] = [kept];
        return kept;
    }

    /// <returns>The marker that stands there now, or null for none.</returns>
    public S3Object? Delete(string key, string? version, DateTimeOffset now)
    {
        if (version is null && KeepsVersions)
            return Put(new S3Object(key, new StoredContent(), "", null, now, new Dictionary<string, string>(), "", null) { IsDeleteMarker = true });
        if (version is null)
            _objects.Remove(key);
        else if (_objects.TryGetValue(key, out var versions) && versions.RemoveAll(one => one.Version == version) > 0 && versions.Count == 0)
            _objects.Remove(key);
        return null;
    }
}
