using System.Collections;
using System.Globalization;
using System.Text.Json;

using Sisyphus.Engine.Tasks;
using Sisyphus.PowerShell.Documents;

namespace Sisyphus.PowerShell.Commands;

/// <summary>The document that the parameters of <see cref="NewSisyphusTaskCommand"/> describe.</summary>
internal static class NewTaskJson
{
    public static void Write(Utf8JsonWriter writer, NewSisyphusTaskCommand task)
    {
        writer.WriteStartObject();
        WriteText(writer, "id", task.Id);
        WriteText(writer, "name", task.Name);
        WriteText(writer, "workflow", task.Workflow);
        WriteText(writer, "image", task.Image);
        WriteMap(writer, "inputs", task.Input, asText: false);
        WriteMap(writer, "outputs", task.Output, asText: false);
        WriteCommands(writer, task);
        WriteMap(writer, "env", task.Environment, asText: true);
        WriteText(writer, "workdir", task.WorkingDirectory);
        WriteText(writer, "user", task.User);
        WriteText(writer, "network", task.Network is { } network ? JsonNamingPolicy.CamelCase.ConvertName(network.ToString()) : null);
        WriteQuantity(writer, "timeout", task.Timeout);
        WriteResources(writer, task);
        WriteNumber(writer, "retries", task.Retry);
        WriteCodes(writer, task.RetryExitCode);
        WriteText(writer, "publish", task.Publish is { } publish ? JsonNamingPolicy.CamelCase.ConvertName(publish.ToString()) : null);
        WriteNumber(writer, "priority", task.Priority);
        WriteMap(writer, "tags", task.Tag, asText: true);
        writer.WriteEndObject();
    }

    // A single command takes the shorthand, where the redirects have their place; the reader refuses them beside several.
    private static void WriteCommands(Utf8JsonWriter writer, NewSisyphusTaskCommand task)
    {
        if (task.Command is [{ IgnoreError: false, StandardInput: null, StandardOutput: null, StandardError: null } only])
        {
            WriteWords(writer, only);
        }
        else
        {
            writer.WriteStartArray("commands");
            foreach (var command in task.Command)
                WriteCommand(writer, command);
            writer.WriteEndArray();
        }
        WriteText(writer, "stdin", task.StandardInput);
        WriteText(writer, "stdout", task.StandardOutput);
        WriteText(writer, "stderr", task.StandardError);
    }

    private static void WriteCommand(Utf8JsonWriter writer, TaskCommand command)
    {
        writer.WriteStartObject();
        WriteWords(writer, command);
        WriteText(writer, "stdin", command.StandardInput);
        WriteText(writer, "stdout", command.StandardOutput);
        WriteText(writer, "stderr", command.StandardError);
        if (command.IgnoreError)
            writer.WriteBoolean("ignoreError", true);
        writer.WriteEndObject();
    }

    private static void WriteWords(Utf8JsonWriter writer, TaskCommand command)
    {
        writer.WriteStartArray("command");
        foreach (var word in command.Arguments)
            writer.WriteStringValue(word);
        writer.WriteEndArray();
    }

    private static void WriteResources(Utf8JsonWriter writer, NewSisyphusTaskCommand task)
    {
        if (task is { Cpu: null, Memory: null, Disk: null, Gpu: null, ProcessLimit: null, SharedMemory: null })
            return;
        writer.WriteStartObject("resources");
        if (task.Cpu is { } cpus)
            writer.WriteNumber("cpus", cpus);
        WriteQuantity(writer, "memory", task.Memory);
        WriteQuantity(writer, "disk", task.Disk);
        WriteNumber(writer, "gpus", task.Gpu);
        WriteNumber(writer, "pids", task.ProcessLimit);
        WriteQuantity(writer, "shm", task.SharedMemory);
        writer.WriteEndObject();
    }

    /// <param name="asText">Numbers and the like become text, as environment variables and tags are.</param>
    private static void WriteMap(Utf8JsonWriter writer, string key, IDictionary? map, bool asText)
    {
        if (map is null)
            return;
        writer.WriteStartObject(key);
        foreach (var (name, value) in PowerShellValue.Entries(map)!)
        {
            writer.WritePropertyName(name);
            if (asText && PowerShellValue.Entries(value) is null && PowerShellValue.Elements(value) is null)
                writer.WriteStringValue(PowerShellValue.Text(value));
            else
                DocumentJson.WriteValue(writer, value, ownKeys: true);
        }
        writer.WriteEndObject();
    }

    private static void WriteCodes(Utf8JsonWriter writer, int[]? codes)
    {
        if (codes is null)
            return;
        writer.WriteStartArray("retryExitCodes");
        foreach (var code in codes)
            writer.WriteNumberValue(code);
        writer.WriteEndArray();
    }

    // PowerShell binds $null and an empty CSV cell to a string parameter as "": not given.
    private static void WriteText(Utf8JsonWriter writer, string key, string? value)
    {
        if (!string.IsNullOrEmpty(value))
            writer.WriteString(key, value);
    }

    private static void WriteNumber(Utf8JsonWriter writer, string key, long? value)
    {
        if (value is { } number)
            writer.WriteNumber(key, number);
    }

    /// <summary>Bytes and seconds are numbers in a document; anything else is for the reader to understand or refuse.</summary>
    private static void WriteQuantity(Utf8JsonWriter writer, string key, string? value)
    {
        if (decimal.TryParse(value, NumberStyles.Float, CultureInfo.InvariantCulture, out var number))
            writer.WriteNumber(key, number);
        else
            WriteText(writer, key, value);
    }
}
