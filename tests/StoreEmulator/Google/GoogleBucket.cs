using Sisyphus.Tests.StoreEmulator.Objects;

namespace Sisyphus.Tests.StoreEmulator.Google;

/// <summary>A bucket; every change is made under its lock, so that conditions hold.</summary>
internal sealed class GoogleBucket(string name)
{
    private static long s_generation = DateTimeOffset.UtcNow.ToUnixTimeMilliseconds() * 1000;

    private readonly SortedDictionary<string, GoogleObject> _objects = new(Utf8Order.Instance);

    public string Name => name;

    public DateTimeOffset Created { get; } = DateTimeOffset.UtcNow;

    public Lock Lock { get; } = new();

    /// <summary>Who asks has to say who pays.</summary>
    public bool RequesterPays { get; set; }

    /// <summary>Nobody may do anything.</summary>
    public bool Forbidden { get; set; }

    public IReadOnlyList<GoogleObject> All
    {
        get
        {
            lock (Lock)
                return [.. _objects.Values];
        }
    }

    public GoogleObject? Find(string key)
    {
        lock (Lock)
            return _objects.GetValueOrDefault(key);
    }

    /// <summary>Puts what <paramref name="make"/> makes of the next generation, if the conditions hold for what is there.</summary>
    public GoogleObject Put(string key, Conditions conditions, Func<long, GoogleObject> make)
    {
        lock (Lock)
        {
            conditions.Check(_objects.GetValueOrDefault(key));
            return _objects[key] = make(Interlocked.Increment(ref s_generation));
        }
    }

    public void Delete(string key, Conditions conditions)
    {
        lock (Lock)
        {
            if (!_objects.TryGetValue(key, out var there) || !conditions.IsGeneration(there))
                throw GoogleError.NoObject(name, key);
            conditions.Check(there);
            _objects.Remove(key);
        }
    }
}
