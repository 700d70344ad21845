using System.Globalization;
using System.Text.Json;

namespace Sisyphus.Engine.Tasks.Writing;

/// <summary>The keys of a document, each only where it says more than the default.</summary>
internal static class DocumentWriter
{
    internal static void Write(Utf8JsonWriter writer, TaskDocument document)
    {
        writer.WriteStartObject();
        WriteString(writer, "id", document.Id);
        WriteString(writer, "name", document.Name);
        WriteString(writer, "workflow", document.Workflow);
        WriteStrings(writer, "tags", document.Tags);
        writer.WriteString("image", document.Image);
        TransferWriter.Write(writer, document.Inputs);
        TransferWriter.Write(writer, document.Outputs);
        WriteCommands(writer, document.Commands);
        WriteStrings(writer, "env", document.Environment);
        WriteString(writer, "workdir", document.WorkingDirectory);
        WriteString(writer, "user", document.User);
        if (document.Network != TaskNetwork.Bridge)
            writer.WriteString("network", document.Network == TaskNetwork.Own ? "own" : "none");
        if (document.Timeout != TaskDocument.DefaultTimeout)
            writer.WriteString("timeout", DurationText.Format(document.Timeout));
        WriteResources(writer, document.Resources);
        if (document.Retries != TaskDocument.DefaultRetries)
            writer.WriteNumber("retries", document.Retries);
        if (document.RetryExitCodes.Count > 0)
        {
            writer.WriteStartArray("retryExitCodes");
            foreach (var code in document.RetryExitCodes)
                writer.WriteNumberValue(code);
            writer.WriteEndArray();
        }
        if (document.Publish != TaskPublishing.Staged)
            writer.WriteString("publish", "direct");
        if (document.Priority != TaskDocument.DefaultPriority)
            writer.WriteNumber("priority", document.Priority);
        WriteExtensions(writer, document);
        writer.WriteEndObject();
    }

    internal static void WriteExtensions(Utf8JsonWriter writer, TaskPart part)
    {
        foreach (var (key, value) in part.Extensions)
        {
            writer.WritePropertyName(key);
            value.WriteTo(writer);
        }
    }

    private static void WriteCommands(Utf8JsonWriter writer, IReadOnlyList<TaskCommand> commands)
    {
        if (commands is [{ IgnoreError: false, Extensions.Count: 0 } single])
        {
            WriteCommand(writer, single);
            return;
        }
        writer.WriteStartArray("commands");
        foreach (var command in commands)
        {
            writer.WriteStartObject();
            WriteCommand(writer, command);
            if (command.IgnoreError)
                writer.WriteBoolean("ignoreError", true);
            WriteExtensions(writer, command);
            writer.WriteEndObject();
        }
        writer.WriteEndArray();
    }

    private static void WriteCommand(Utf8JsonWriter writer, TaskCommand command)
    {
        writer.WriteStartArray("command");
        foreach (var argument in command.Arguments)
            writer.WriteStringValue(argument);
        writer.WriteEndArray();
        WriteString(writer, "stdin", command.StandardInput);
        WriteString(writer, "stdout", command.StandardOutput);
        WriteString(writer, "stderr", command.StandardError);
    }

    private static void WriteResources(Utf8JsonWriter writer, TaskResources resources)
    {
        if (resources.Equals(TaskResources.Unlimited))
            return;
        writer.WriteStartObject("resources");
        if (resources.Cpus is { } cpus)
            writer.WriteNumber("cpus", cpus);
        WriteSize(writer, "memory", resources.Memory);
        WriteSize(writer, "disk", resources.Disk);
        if (resources.Gpus is { } gpus)
            writer.WriteNumber("gpus", gpus);
        if (resources.Pids is { } pids)
            writer.WriteNumber("pids", pids);
        WriteSize(writer, "shm", resources.SharedMemory);
        WriteExtensions(writer, resources);
        writer.WriteEndObject();
    }

    private static void WriteSize(Utf8JsonWriter writer, string key, long? bytes)
    {
        if (bytes is not { } number)
            return;
        var text = SizeText.Format(number);
        if (text == number.ToString(CultureInfo.InvariantCulture))
            writer.WriteNumber(key, number);
        else
            writer.WriteString(key, text);
    }

    private static void WriteString(Utf8JsonWriter writer, string key, string? value)
    {
        if (value is not null)
            writer.WriteString(key, value);
    }

    private static void WriteStrings(Utf8JsonWriter writer, string key, IReadOnlyDictionary<string, string> values)
    {
        if (values.Count == 0)
            return;
        writer.WriteStartObject(key);
        foreach (var (name, value) in values)
            writer.WriteString(name, value);
        writer.WriteEndObject();
    }
}
