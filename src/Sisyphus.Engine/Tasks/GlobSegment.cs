using System.Text;

namespace Sisyphus.Engine.Tasks;

/// <summary>The part of a pattern between two slashes.</summary>
internal sealed class GlobSegment
{
    private readonly List<Token> _tokens = [];

    internal GlobSegment(string text)
    {
        var runes = text.EnumerateRunes().ToArray();
        for (var i = 0; i < runes.Length; i++)
        {
            switch (runes[i].Value)
            {
                case '*':
                    HasDoubleStar |= _tokens is [.., { Kind: TokenKind.Star }];
                    _tokens.Add(new Token(TokenKind.Star));
                    break;
                case '?':
                    _tokens.Add(new Token(TokenKind.One));
                    break;
                case '[' when GlobBracket.TryRead(runes, ref i, out var bracket):
                    _tokens.Add(new Token(TokenKind.Bracket, Bracket: bracket));
                    break;
                case '\\' when i + 1 < runes.Length:
                    _tokens.Add(new Token(TokenKind.Literal, runes[++i]));
                    break;
                default:
                    _tokens.Add(new Token(TokenKind.Literal, runes[i]));
                    break;
            }
        }
    }

    private enum TokenKind
    {
        Literal,
        One,
        Star,
        Bracket,
    }

    internal bool HasWildcard => _tokens.Exists(token => token.Kind != TokenKind.Literal);

    internal bool HasDoubleStar { get; }

    /// <summary>The name that a segment without wildcards stands for.</summary>
    internal string Literal => string.Concat(_tokens.Select(token => token.Rune.ToString()));

    internal bool IsMatch(string name)
    {
        var runes = name.EnumerateRunes().ToArray();
        if (runes is [{ Value: '.' }, ..] && _tokens is not [{ Kind: TokenKind.Literal }, ..])
            return false;

        // One step back to the last star is enough: an earlier star could only take what the last one can take as well.
        var (token, rune, star, taken) = (0, 0, -1, 0);
        while (rune < runes.Length)
        {
            if (token < _tokens.Count && _tokens[token].Kind == TokenKind.Star)
                (star, taken) = (token++, rune);
            else if (token < _tokens.Count && _tokens[token].Matches(runes[rune]))
                (token, rune) = (token + 1, rune + 1);
            else if (star >= 0)
                (token, rune) = (star + 1, ++taken);
            else
                return false;
        }
        return _tokens.Skip(token).All(rest => rest.Kind == TokenKind.Star);
    }

    private readonly record struct Token(TokenKind Kind, Rune Rune = default, GlobBracket? Bracket = null)
    {
        internal bool Matches(Rune rune) => Kind switch
        {
            TokenKind.Literal => rune == Rune,
            TokenKind.One => true,
            TokenKind.Bracket => Bracket!.Contains(rune),
            _ => false,
        };
    }
}
