namespace Sisyphus.Engine.Tasks;

/// <summary>Equality of collections by what they hold; records compare them by reference.</summary>
internal static class ContentEquality
{
    internal static bool Of<T>(IReadOnlyDictionary<string, T> left, IReadOnlyDictionary<string, T> right, Func<T, T, bool> equal)
    {
        if (ReferenceEquals(left, right))
            return true;
        if (left.Count != right.Count)
            return false;
        foreach (var (key, value) in left)
        {
            if (!right.TryGetValue(key, out var other) || !equal(value, other))
                return false;
        }
        return true;
    }

    internal static bool Of(IReadOnlyDictionary<string, string> left, IReadOnlyDictionary<string, string> right) =>
        Of(left, right, string.Equals);
}
