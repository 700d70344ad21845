using System.Text;
using System.Text.Json;

namespace Sisyphus.Engine.Tasks.Reading;

/// <summary>The commands in both their forms, with the places of what the conflict check needs.</summary>
internal static class CommandReader
{
    private const string ArrayForm = "an array of strings such as [\"md5sum\", \"/mnt/clear\"]";

    private static readonly string[] Keys = ["command", "stdin", "stdout", "stderr", "ignoreError"];

    /// <summary>The keys that make up the short form, a single command at the top of the document.</summary>
    internal static bool IsShortKey(string key) => key is "command" or "stdin" or "stdout" or "stderr";

    /// <summary>Reads <c>commands</c>.</summary>
    internal static IReadOnlyList<PlacedCommand> ReadAll(ReadContext context, SourceValue value)
    {
        if (context.Array(value, "an array of commands such as [{\"command\": [\"md5sum\", \"/mnt/clear\"]}]") is not { } items)
            return [];
        if (items.Count == 0)
            context.Error(value, "\"commands\" is empty: a task runs at least one command");
        return [.. items.Select(item => Read(context, item)).OfType<PlacedCommand>()];
    }

    /// <summary>Reads the short form.</summary>
    internal static PlacedCommand? ReadShort(ReadContext context, IReadOnlyList<SourceMember> document) =>
        Read(context, document.Where(member => IsShortKey(member.Name)));

    private static PlacedCommand? Read(ReadContext context, SourceValue value)
    {
        if (context.Object(value, "an object such as {\"command\": [\"md5sum\", \"/mnt/clear\"]}") is not { } members)
            return null;
        if (!members.Any(member => member.Name == "command"))
            context.Error(value, "the key \"command\" is missing: the program and its arguments");
        return Read(context, members);
    }

    private static PlacedCommand? Read(ReadContext context, IEnumerable<SourceMember> members)
    {
        string[]? arguments = null;
        Redirect? input = null, output = null, error = null;
        var ignoreError = false;
        Dictionary<string, JsonElement>? extensions = null;
        foreach (var member in members)
        {
            switch (member.Name)
            {
                case "command": arguments = ReadArguments(context, member.Value); break;
                case "stdin": input = ReadRedirect(context, member.Value); break;
                case "stdout": output = ReadRedirect(context, member.Value); break;
                case "stderr": error = ReadRedirect(context, member.Value); break;
                case "ignoreError": ignoreError = context.Boolean(member.Value) ?? false; break;
                default: context.Unknown(member, Keys, ref extensions); break;
            }
        }
        if (arguments is null)
            return null;
        var command = new TaskCommand(arguments, input?.Path, output?.Path, error?.Path, ignoreError);
        return new PlacedCommand(extensions is null ? command : command with { Extensions = extensions }, input, output, error);
    }

    private static string[]? ReadArguments(ReadContext context, SourceValue value)
    {
        if (value.Kind == JsonValueKind.String)
            context.Error(value, $"expected {ArrayForm}, but found a string: no shell takes it apart");
        else if (context.Array(value, ArrayForm) is { } items)
            return ReadArguments(context, value, items);
        return null;
    }

    private static string[]? ReadArguments(ReadContext context, SourceValue value, IReadOnlyList<SourceValue> items)
    {
        if (items.Count == 0)
        {
            context.Error(value, $"the command is empty: write {ArrayForm}");
            return null;
        }
        if (items[0] is { Kind: JsonValueKind.String, Text: "" })
            context.Error(items[0], "the first string of a command is the program to run and may not be empty");
        var arguments = new string[items.Count];
        for (var i = 0; i < arguments.Length; i++)
        {
            arguments[i] = context.String(items[i], "-c") ?? "";
            if (Encoding.UTF8.GetByteCount(arguments[i]) > Limits.MaxArgumentBytes)
                context.Error(items[i], $"the argument is longer than {Limits.MaxArgumentBytes} bytes, and Linux takes no more: put it in an input and pass the path");
        }
        return arguments;
    }

    private static Redirect? ReadRedirect(ReadContext context, SourceValue value)
    {
        if (context.String(value, "/mnt/result") is not { } text)
            return null;
        var error = InternalPath.Normalize(text, out var path, out var isDirectory);
        error ??= isDirectory && path != "/" ? "a redirect names a file: take the trailing \"/\" off" : InternalPath.CheckPlace(path);
        if (error is null)
            return new Redirect(path, value);
        context.Error(value, error);
        return null;
    }
}

/// <summary>A command with its redirects where they stand in the text.</summary>
internal sealed record PlacedCommand(TaskCommand Command, Redirect? Input, Redirect? Output, Redirect? Error);

internal sealed record Redirect(string Path, SourceValue At);
