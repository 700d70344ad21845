using System.Runtime.CompilerServices;

namespace Sisyphus.Engine.Storage.Azure;

/// <summary>Puts a list in the order of UTF-8 that is in the order of UTF-16, or already in that of UTF-8: they differ only among keys that are the same up to a character beyond U+D7FF, and only those are held.</summary>
internal static class Utf8Runs
{
    private const char FirstToDiffer = '\uD800';

    public static async IAsyncEnumerable<ObjectInfo> InOrderAsync(IAsyncEnumerable<ObjectInfo> list, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        var run = new List<ObjectInfo>();
        string? stem = null;
        await foreach (var info in list.WithCancellation(cancellationToken).ConfigureAwait(false))
        {
            var at = info.Key.AsSpan().IndexOfAnyInRange(FirstToDiffer, '\uFFFF');
            if (run.Count > 0 && (at < 0 || !info.Key.AsSpan(0, at).SequenceEqual(stem)))
            {
                foreach (var held in run.OrderBy(held => held.Key, Utf8Order.Instance))
                    yield return held;
                run.Clear();
            }
            if (at < 0)
            {
                yield return info;
                continue;
            }
            stem = info.Key[..at];
            run.Add(info);
        }
        foreach (var held in run.OrderBy(held => held.Key, Utf8Order.Instance))
            yield return held;
    }
}
