using System.Text.Json;

namespace Sisyphus.Engine.Tasks.Reading;

/// <summary>Inputs and outputs: remote path to internal path.</summary>
internal static class TransferReader
{
    private static readonly string[] InputKeys = ["path", "writable", "sha256"];
    private static readonly string[] OutputKeys = ["path", "optional"];

    internal static IReadOnlyList<Placed<TaskInput>> ReadInputs(ReadContext context, SourceValue value)
    {
        var members = context.Object(value, "an object such as {\"bucket:key\": \"/mnt/data\"}") ?? [];
        return [.. members.Select(member => ReadInput(context, member)).OfType<Placed<TaskInput>>()];
    }

    internal static IReadOnlyList<Placed<TaskOutput>> ReadOutputs(ReadContext context, SourceValue value)
    {
        var members = context.Object(value, "an object such as {\"bucket:key\": \"/mnt/result\"}") ?? [];
        return [.. members.Select(member => ReadOutput(context, member)).OfType<Placed<TaskOutput>>()];
    }

    private static Placed<TaskInput>? ReadInput(ReadContext context, SourceMember member)
    {
        var remote = ReadRemote(context, member);
        var target = ReadTarget(context, member.Value, InputKeys, "{\"path\": \"/mnt/data\", \"writable\": true}", "/mnt/data");
        if (target?.Text is not { } text)
            return null;
        var error = InternalPath.Normalize(text, out var path, out var isDirectory) ?? InternalPath.CheckPlace(path);
        if (error is not null)
            context.Error(target.At, error);
        if (error is not null || remote is null)
            return null;

        isDirectory |= remote.IsPrefix;
        if (CheckWeb(remote, isDirectory, target.Sha256) is { } refused)
        {
            context.Error(member, refused);
            return null;
        }
        if (isDirectory && target.Sha256 is not null)
            context.Error(target.At, "\"sha256\" is the checksum of one object, and this input is a directory");
        var input = new TaskInput(isDirectory ? AsPrefix(remote) : remote, path, isDirectory, target.Flag, target.Sha256);
        return new(target.Extensions is null ? input : input with { Extensions = target.Extensions }, member, target.At);
    }

    private static Placed<TaskOutput>? ReadOutput(ReadContext context, SourceMember member)
    {
        var remote = ReadRemote(context, member);
        if (remote is { IsWeb: true })
            context.Error(member, $"{remote.Scheme} is for inputs only: outputs go to an object store");
        var target = ReadTarget(context, member.Value, OutputKeys, "{\"path\": \"/mnt/result\", \"optional\": true}", "/mnt/result");
        if (target?.Text is not { } text)
            return null;
        var error = FindKind(text, remote?.IsPrefix ?? false, out var kind, out var path);
        if (error is not null)
            context.Error(target.At, error);
        if (error is not null || remote is null)
            return null;

        var needsPrefix = kind is TaskOutputKind.Directory or TaskOutputKind.Pattern;
        var output = new TaskOutput(needsPrefix ? AsPrefix(remote) : remote, kind, path, target.Flag);
        return new(target.Extensions is null ? output : output with { Extensions = target.Extensions }, member, target.At);
    }

    private static string? CheckWeb(RemotePath remote, bool isDirectory, string? sha256)
    {
        if (!remote.IsWeb)
            return null;
        if (isDirectory)
            return $"an {remote.Scheme} input is one file: the web has no lists of files";
        return remote.Scheme == "http" && sha256 is null
            ? "http is refused without a checksum, since anybody on the way could change the data: use https, or write {\"path\": …, \"sha256\": …}"
            : null;
    }

    private static string? FindKind(string text, bool toPrefix, out TaskOutputKind kind, out string path)
    {
        kind = text == TaskOutput.StandardOutputPath ? TaskOutputKind.StandardOutput : TaskOutputKind.Log;
        path = text;
        if (text is TaskOutput.StandardOutputPath or TaskOutput.LogPath)
            return toPrefix ? $"\"{text}\" is one object: take the \"/\" off the end of its remote path" : null;
        if (InternalPath.Normalize(text, out path, out var isDirectory) is { } error)
            return error;
        if (InternalPattern.HasWildcard(path))
        {
            kind = TaskOutputKind.Pattern;
            return isDirectory ? "a pattern names files: take the trailing \"/\" off"
                : InternalPattern.TryParse(path, out var pattern, out var wrong) ? InternalPath.CheckPlace(pattern.BaseDirectory) : wrong;
        }
        kind = isDirectory || toPrefix ? TaskOutputKind.Directory : TaskOutputKind.File;
        // Once more, since an escaped dot is a dot all the same.
        return InternalPath.Normalize(InternalPattern.Unescape(path), out path, out _) ?? InternalPath.CheckPlace(path);
    }

    private static RemotePath? ReadRemote(ReadContext context, SourceMember member)
    {
        if (!RemotePath.TryParse(member.Name, out var remote, out var error))
        {
            context.Error(member, member.Name.StartsWith('/') && member.Value.Kind == JsonValueKind.String && RemotePath.TryParse(member.Value.Text, out _, out _)
                ? "the two sides are swapped: the remote path is the key, the internal path its value"
                : error);
        }
        else if (IsReserved(remote))
        {
            context.Error(member, "keys below \".sisyphus/\" are reserved for Sisyphus itself");
        }
        return remote;
    }

    /// <summary>Where attempts stage and decide. Of a file URL nobody knows which of its folders is the bucket.</summary>
    private static bool IsReserved(RemotePath remote) => remote.Scheme switch
    {
        "https" or "http" => false,
        "file" => remote.Key.Split('/').Contains(".sisyphus"),
        _ => remote.Key == ".sisyphus" || remote.Key.StartsWith(".sisyphus/", StringComparison.Ordinal),
    };

    private static Target? ReadTarget(ReadContext context, SourceValue value, string[] keys, string objectForm, string example)
    {
        if (value.Kind == JsonValueKind.String)
            return new Target(context.String(value, example), false, null, value, null);
        if (value.Kind != JsonValueKind.Object)
        {
            context.WrongType(value, $"an internal path such as \"{example}\" or {objectForm}");
            return null;
        }
        var target = new Target(null, false, null, value, null);
        Dictionary<string, JsonElement>? extensions = null;
        foreach (var member in value.Members)
        {
            if (member.Name == "path")
                target = target with { Text = context.String(member.Value, example), At = member.Value };
            else if (member.Name == keys[1])
                target = target with { Flag = context.Boolean(member.Value) ?? false };
            else if (member.Name == "sha256" && keys.Contains("sha256"))
                target = target with { Sha256 = ReadSha256(context, member.Value) };
            else
                context.Unknown(member, keys, ref extensions);
        }
        if (!value.Members.Any(member => member.Name == "path"))
            context.Error(value, $"the key \"path\" is missing: write {objectForm}");
        return target with { Extensions = extensions };
    }

    private static string? ReadSha256(ReadContext context, SourceValue value)
    {
        if (context.String(value, new string('0', 8) + "…") is not { } text)
            return null;
        if (text.Length == 64 && text.All(char.IsAsciiHexDigit))
            return text.ToLowerInvariant();
        context.Error(value, "a SHA-256 checksum is 64 hexadecimal digits, as sha256sum writes it");
        // Declared it is, if wrongly: that is error enough.
        return "";
    }

    private static RemotePath AsPrefix(RemotePath remote) => remote.IsPrefix ? remote : remote.WithKey(remote.Key + "/");

    /// <summary>The internal side: the path as written, whether it is writable or optional, and the declared checksum.</summary>
    private sealed record Target(string? Text, bool Flag, string? Sha256, SourceValue At, Dictionary<string, JsonElement>? Extensions);
}

/// <summary>An input or output with its places in the text.</summary>
/// <param name="Remote">Its member, whose name is the remote path.</param>
/// <param name="Internal">The internal path.</param>
internal sealed record Placed<T>(T Value, SourceMember Remote, SourceValue Internal);
