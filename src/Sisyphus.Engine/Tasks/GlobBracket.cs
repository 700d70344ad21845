using System.Diagnostics.CodeAnalysis;
using System.Text;

namespace Sisyphus.Engine.Tasks;

/// <summary>A bracket expression: <c>[abc]</c>, <c>[a-z]</c>, <c>[!a]</c> (also <c>[^a]</c>), <c>[[:digit:]]</c>.</summary>
internal sealed class GlobBracket
{
    private readonly List<(Rune First, Rune Last)> _ranges = [];
    private readonly List<Func<Rune, bool>> _classes = [];
    private bool _negated;

    private GlobBracket()
    {
    }

    internal bool Contains(Rune rune) =>
        (_ranges.Exists(range => rune >= range.First && rune <= range.Last) || _classes.Exists(isIn => isIn(rune))) != _negated;

    /// <summary>Reads from the <c>[</c> at <paramref name="position"/>; afterwards that is at the <c>]</c>. False, and nothing moved, where no bracket expression begins.</summary>
    internal static bool TryRead(Rune[] pattern, ref int position, [NotNullWhen(true)] out GlobBracket? bracket)
    {
        bracket = new GlobBracket();
        var i = position + 1;
        if (i < pattern.Length && pattern[i].Value is '!' or '^')
        {
            bracket._negated = true;
            i++;
        }
        for (var first = i; i < pattern.Length; i++)
        {
            if (pattern[i].Value == ']' && i > first)
            {
                position = i;
                return true;
            }
            if (!bracket.TryReadClass(pattern, ref i))
                bracket.ReadRange(pattern, ref i);
        }
        bracket = null;
        return false;
    }

    private void ReadRange(Rune[] pattern, ref int i)
    {
        var first = ReadCharacter(pattern, ref i);
        var last = first;
        if (i + 2 < pattern.Length && pattern[i + 1].Value == '-' && pattern[i + 2].Value != ']')
        {
            i += 2;
            last = ReadCharacter(pattern, ref i);
        }
        _ranges.Add((first, last));
    }

    private static Rune ReadCharacter(Rune[] pattern, ref int i)
    {
        if (pattern[i].Value == '\\' && i + 1 < pattern.Length)
            return pattern[++i];
        // [.x.] and [=x=] name the one character in them: the C locale has no longer collating elements.
        if (i + 4 < pattern.Length && pattern[i].Value == '[' && pattern[i + 1].Value is '.' or '='
            && pattern[i + 3] == pattern[i + 1] && pattern[i + 4].Value == ']')
        {
            i += 4;
            return pattern[i - 2];
        }
        return pattern[i];
    }

    private bool TryReadClass(Rune[] pattern, ref int i)
    {
        if (i + 1 >= pattern.Length || pattern[i].Value != '[' || pattern[i + 1].Value != ':')
            return false;
        var end = i + 2;
        while (end < pattern.Length && pattern[end].Value is >= 'a' and <= 'z')
            end++;
        if (end + 1 >= pattern.Length || pattern[end].Value != ':' || pattern[end + 1].Value != ']'
            || Class(string.Concat(pattern[(i + 2)..end])) is not { } isIn)
        {
            return false;
        }
        _classes.Add(isIn);
        i = end + 1;
        return true;
    }

    private static Func<Rune, bool>? Class(string name) => name switch
    {
        "alnum" => Rune.IsLetterOrDigit,
        "alpha" => Rune.IsLetter,
        "blank" => rune => rune.Value is ' ' or '\t',
        "cntrl" => Rune.IsControl,
        "digit" => rune => rune.Value is >= '0' and <= '9',
        "graph" => rune => !Rune.IsControl(rune) && !Rune.IsWhiteSpace(rune),
        "lower" => Rune.IsLower,
        "print" => rune => !Rune.IsControl(rune),
        "punct" => rune => Rune.IsPunctuation(rune) || Rune.IsSymbol(rune),
        "space" => Rune.IsWhiteSpace,
        "upper" => Rune.IsUpper,
        "xdigit" => rune => rune.IsAscii && char.IsAsciiHexDigit((char)rune.Value),
        _ => null,
    };
}
