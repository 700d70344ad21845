namespace Sisyphus.Engine.Storage;

/// <summary>The order of the texts' UTF-8 bytes, which is the order of their code points. Ordinal order of UTF-16 differs from it where surrogates meet U+E000 and above.</summary>
internal sealed class Utf8Order : IComparer<string>
{
    public static readonly Utf8Order Instance = new();

    public int Compare(string? x, string? y)
    {
        var same = x.AsSpan().CommonPrefixLength(y);
        if (x is null || y is null || same == x.Length || same == y.Length)
            return (x?.Length ?? -1) - (y?.Length ?? -1);
        return Rank(x[same]) - Rank(y[same]);
    }

    private static int Rank(char c) => c < 0xD800 ? c : c >= 0xE000 ? c - 0x800 : c + 0x2000;
}
