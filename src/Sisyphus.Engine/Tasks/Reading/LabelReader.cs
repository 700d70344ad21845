using System.Text;
using System.Text.RegularExpressions;

namespace Sisyphus.Engine.Tasks.Reading;

/// <summary>The keys that hold names and small texts.</summary>
internal static partial class LabelReader
{
    internal static string? ReadId(ReadContext context, SourceValue value) =>
        Checked(context, value, "sample-42", text => TaskId.IsValid(text) ? null
            : "an id has 1 to 128 of the characters A-Z, a-z, 0-9, \".\", \"_\", \"-\", and not only dots");

    internal static string? ReadName(ReadContext context, SourceValue value) =>
        Checked(context, value, "align sample 42", text => text.Length is > 0 and <= Limits.MaxNameLength && !text.Any(char.IsControl) ? null
            : $"a name has 1 to {Limits.MaxNameLength} characters and no control characters");

    internal static string? ReadWorkflow(ReadContext context, SourceValue value) =>
        Checked(context, value, "nightly", text => WorkflowName.IsValid(text) ? null
            : "a workflow has 1 to 128 of the characters A-Z, a-z, 0-9, \".\", \"_\", \"-\", begins with a letter or digit, and not with \"amq.\"");

    internal static string? ReadUser(ReadContext context, SourceValue value) =>
        Checked(context, value, "1000:1000", text => UserForm().Match(text) is not { Success: true } match || TooLarge(match.Groups["user"]) || TooLarge(match.Groups["group"])
            ? "a user is a name or a number up to 2147483647, with \":\" and a group of the same form if need be: \"1000:1000\", \"nobody\""
            : null);

    internal static string? ReadImage(ReadContext context, SourceValue value) =>
        Checked(context, value, "alpine:latest", ImageReference.Check);

    internal static Dictionary<string, string> ReadTags(ReadContext context, SourceValue value)
    {
        var tags = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var member in context.Object(value, "an object of strings such as {\"sample\": \"42\"}") ?? [])
        {
            if (member.Name.Length is 0 or > Limits.MaxTagNameLength || member.Name.Any(char.IsControl))
                context.Error(member, $"the name of a tag has 1 to {Limits.MaxTagNameLength} characters and no control characters");
            else if (Checked(context, member.Value, "42", text => text.Length <= Limits.MaxTagValueLength ? null : $"the value of a tag has at most {Limits.MaxTagValueLength} characters") is { } text)
                tags.Add(member.Name, text);
        }
        return tags;
    }

    internal static Dictionary<string, string> ReadEnvironment(ReadContext context, SourceValue value)
    {
        var environment = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var member in context.Object(value, "an object of strings such as {\"THREADS\": \"4\"}") ?? [])
        {
            if (member.Name.Length == 0 || member.Name.AsSpan().ContainsAny('=', '\0'))
                context.Error(member, "the name of a variable is not empty and has no \"=\" and no NUL character");
            else if (context.String(member.Value, "4") is { } text)
            {
                if (Encoding.UTF8.GetByteCount(member.Name) + 1 + Encoding.UTF8.GetByteCount(text) > Limits.MaxArgumentBytes)
                    context.Error(member.Value, $"a variable with its name may be {Limits.MaxArgumentBytes} bytes long, Linux takes no more");
                else
                    environment.Add(member.Name, text);
            }
        }
        return environment;
    }

    internal static string? ReadWorkingDirectory(ReadContext context, SourceValue value)
    {
        if (context.String(value, "/work") is not { } text)
            return null;
        if (InternalPath.Normalize(text, out var path, out _) is not { } error)
            return path;
        context.Error(value, error);
        return null;
    }

    internal static TaskNetwork? ReadNetwork(ReadContext context, SourceValue value)
    {
        switch (context.String(value, "none"))
        {
            case "bridge": return TaskNetwork.Bridge;
            case "own": return TaskNetwork.Own;
            case "none": return TaskNetwork.None;
            case null: return null;
        }
        context.Error(value, Suggestion.For(value.Text, ["bridge", "own", "none"]) is { } meant
            ? $"the network is \"bridge\", \"own\" or \"none\"; did you mean \"{meant}\"?"
            : "the network is \"bridge\", \"own\" or \"none\"");
        return null;
    }

    internal static TaskPublishing? ReadPublishing(ReadContext context, SourceValue value)
    {
        switch (context.String(value, "direct"))
        {
            case "staged": return TaskPublishing.Staged;
            case "direct": return TaskPublishing.Direct;
            case null: return null;
        }
        context.Error(value, Suggestion.For(value.Text, ["staged", "direct"]) is { } meant
            ? $"outputs are published \"staged\" or \"direct\"; did you mean \"{meant}\"?"
            : "outputs are published \"staged\" or \"direct\"");
        return null;
    }

    private static string? Checked(ReadContext context, SourceValue value, string example, Func<string, string?> check)
    {
        if (context.String(value, example) is not { } text)
            return null;
        if (check(text) is not { } error)
            return text;
        context.Error(value, error);
        return null;
    }

    private static bool TooLarge(Group number) => number.Success && char.IsAsciiDigit(number.Value[0])
        && number.ValueSpan.IndexOfAnyExceptInRange('0', '9') < 0 && !int.TryParse(number.ValueSpan, out _);

    [GeneratedRegex(@"\A(?<user>[A-Za-z0-9_.][A-Za-z0-9_.-]{0,31})(?::(?<group>[A-Za-z0-9_.][A-Za-z0-9_.-]{0,31}))?\z", RegexOptions.CultureInvariant)]
    private static partial Regex UserForm();
}
