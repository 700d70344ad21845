using System.Management.Automation.Runspaces;

namespace Sisyphus.Host;

/// <summary>Turns the words after a script's name into parameters, as <c>pwsh -File</c> does.</summary>
internal static class ScriptArguments
{
    public static IReadOnlyList<CommandParameter> Parse(IEnumerable<string> words)
    {
        var parameters = new List<CommandParameter>();
        var valuesOnly = false;
        foreach (var word in words)
        {
            if (valuesOnly || !IsParameter(word))
                parameters.Add(new CommandParameter(null, word));
            else if (word == "--")
                valuesOnly = true;
            else
                parameters.Add(Named(word));
        }

        return parameters;
    }

    // A leading dash is kept in the name: the engine then sees the token as if it had been typed, and whether the next word
    // is this parameter's value is decided by the script's own parameters (a switch takes none).
    private static CommandParameter Named(string word)
    {
        var colon = word.IndexOf(':', StringComparison.Ordinal);
        return colon < 0 || colon == word.Length - 1
            ? new CommandParameter(word)
            : new CommandParameter(word[..(colon + 1)], Literal(word[(colon + 1)..]));
    }

    // Of all expressions only the two constants are read, for `-Switch:$false`.
    private static object Literal(string text) => text.ToUpperInvariant() switch
    {
        "$TRUE" => true,
        "$FALSE" => false,
        _ => text,
    };

    // `-5` and a lone `-` are values.
    private static bool IsParameter(string word) =>
        word.Length > 1 && word[0] == '-' && (char.IsLetter(word[1]) || word[1] is '_' or '?' || word == "--");
}
