using System.Text.Json;

namespace Sisyphus.Engine.Tasks.Writing;

/// <summary>Inputs and outputs. The remote side has its trailing slash where it is a prefix, so that the internal side needs none.</summary>
internal static class TransferWriter
{
    internal static void Write(Utf8JsonWriter writer, IReadOnlyList<TaskInput> inputs)
    {
        if (inputs.Count == 0)
            return;
        writer.WriteStartObject("inputs");
        foreach (var input in inputs)
            WriteTarget(writer, input.Remote, input.Path, "writable", input.Writable, input.Sha256, input);
        writer.WriteEndObject();
    }

    internal static void Write(Utf8JsonWriter writer, IReadOnlyList<TaskOutput> outputs)
    {
        if (outputs.Count == 0)
            return;
        writer.WriteStartObject("outputs");
        foreach (var output in outputs)
        {
            var path = output.Kind is TaskOutputKind.File or TaskOutputKind.Directory ? InternalPattern.Escape(output.Path) : output.Path;
            WriteTarget(writer, output.Remote, path, "optional", output.Optional, null, output);
        }
        writer.WriteEndObject();
    }

    private static void WriteTarget(Utf8JsonWriter writer, RemotePath remote, string path, string flagKey, bool flag, string? sha256, TaskPart part)
    {
        if (!flag && sha256 is null && part.Extensions.Count == 0)
        {
            writer.WriteString(remote.Written, path);
            return;
        }
        writer.WriteStartObject(remote.Written);
        writer.WriteString("path", path);
        if (flag)
            writer.WriteBoolean(flagKey, true);
        if (sha256 is not null)
            writer.WriteString("sha256", sha256);
        DocumentWriter.WriteExtensions(writer, part);
        writer.WriteEndObject();
    }
}
