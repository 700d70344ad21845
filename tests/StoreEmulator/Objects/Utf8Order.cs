using System.Text;

namespace Sisyphus.Tests.StoreEmulator.Objects;

/// <summary>The order of the texts' UTF-8 bytes.</summary>
internal sealed class Utf8Order : IComparer<string>
{
    public static readonly Utf8Order Instance = new();

    // That of the code points, which differs from that of UTF-16 in surrogates only.
    public int Compare(string? x, string? y) =>
        x!.AsSpan().ContainsAnyInRange('\uD800', '\uFFFF') || y!.AsSpan().ContainsAnyInRange('\uD800', '\uFFFF')
            ? Encoding.UTF8.GetBytes(x!).AsSpan().SequenceCompareTo(Encoding.UTF8.GetBytes(y!))
            : string.CompareOrdinal(x, y);
}
