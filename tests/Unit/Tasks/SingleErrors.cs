using System.Globalization;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Sisyphus.Tests.Unit.Tasks;

/// <summary>Takes a document with several errors apart into documents with one each.</summary>
internal static partial class SingleErrors
{
    /// <summary>Copies of the row's document; in each the other errors are taken out or, where a key is required, made good.</summary>
    internal static IEnumerable<(string Path, string Json)> Of(DocumentRow row)
    {
        var paths = row.Errors.Select(error => error.Path).Distinct().ToList();
        foreach (var kept in paths)
        {
            var root = JsonNode.Parse(row.Text);
            // The last items of an array go first, since the others move.
            foreach (var other in paths.AsEnumerable().Reverse().Where(path => path != kept && !kept.StartsWith(path, StringComparison.Ordinal)))
                Remove(root, other);
            yield return (kept, root?.ToJsonString() ?? "null");
        }
    }

    private static void Remove(JsonNode? node, string path)
    {
        object[] steps = [.. Step().Matches(path).Select(Read)];
        foreach (var step in steps[..^1])
            node = step is int at ? node![at] : node![(string)step];
        switch (steps[^1])
        {
            case int index: node!.AsArray().RemoveAt(index); break;
            case "image": node!["image"] = "a"; break;
            case "command": node!["command"] = new JsonArray("a"); break;
            case "path": node!["path"] = "/made/good"; break;
            case string name: node!.AsObject().Remove(name); break;
        }
    }

    private static object Read(Match step) => step.Groups["index"].Success
        ? int.Parse(step.Groups["index"].Value, CultureInfo.InvariantCulture)
        : step.Groups["name"].Success ? step.Groups["name"].Value : Regex.Unescape(step.Groups["quoted"].Value);

    [GeneratedRegex(@"\.(?<name>[A-Za-z0-9_]+)|\[(?<index>[0-9]+)\]|\['(?<quoted>(?:[^'\\]|\\.)*)'\]")]
    private static partial Regex Step();
}
