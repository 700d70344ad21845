using System.Text.RegularExpressions;

namespace Sisyphus.Engine.Tasks;

/// <summary>The grammar of image references: <c>[registry[:port]/]repository[:tag][@digest]</c>.</summary>
/// <remarks>https://github.com/distribution/reference/blob/main/reference.go; a first part without a dot, a colon or <c>localhost</c> is no registry.</remarks>
internal static partial class ImageReference
{
    private const int MaxNameLength = 255;

    /// <summary>Null when the text is a reference, otherwise what is wrong.</summary>
    internal static string? Check(string text)
    {
        if (text.Length == 0)
            return "the image is empty: write a reference such as \"alpine:latest\"";
        var match = Form().Match(text);
        if (!match.Success)
        {
            return Form().IsMatch(LowerRepository(text))
                ? $"the repository of \"{text}\" has upper-case letters; did you mean \"{LowerRepository(text)}\"?"
                : $"\"{text}\" is no image reference: write [registry[:port]/]repository[:tag][@digest], for example \"alpine:latest\" or \"quay.io/org/tool@sha256:…\"";
        }
        if (match.Groups["name"].Length > MaxNameLength)
            return $"the repository is longer than {MaxNameLength} characters";
        var digest = match.Groups["digest"].Value;
        return digest.StartsWith("sha256:", StringComparison.Ordinal) && !Sha256().IsMatch(digest)
            ? "a sha256 digest has 64 lower-case hexadecimal digits"
            : null;
    }

    /// <summary>The reference with everything in lower case that has to be: not the tag.</summary>
    private static string LowerRepository(string text)
    {
        var end = text.IndexOf('@', StringComparison.Ordinal) is var at and >= 0 ? at : text.Length;
        var colon = text.LastIndexOf(':', end - 1);
        if (colon > text.LastIndexOf('/', end - 1))
            end = colon;
        return text[..end].ToLowerInvariant() + text[end..];
    }

    [GeneratedRegex("""
        \A(?<name>
          (?:(?:localhost(?::[0-9]+)?
             |(?:\[[a-fA-F0-9:]+\]|(?=[^/]*[.:])(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])(?:\.(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9]))*)(?::[0-9]+)?
             )/)?
          [a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*
        )
        (?::[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?
        (?:@(?<digest>[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}))?\z
        """, RegexOptions.CultureInvariant | RegexOptions.IgnorePatternWhitespace)]
    private static partial Regex Form();

    [GeneratedRegex(@"\Asha256:[0-9a-f]{64}\z", RegexOptions.CultureInvariant)]
    private static partial Regex Sha256();
}
