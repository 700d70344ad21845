using System.Text.Json;

namespace Sisyphus.Engine.Tasks.Reading;

/// <summary>Makes a document out of a tree of values.</summary>
internal static class DocumentReader
{
    private static readonly string[] Keys =
    [
        "id", "name", "workflow", "tags", "image", "inputs", "outputs", "commands", "command", "stdin", "stdout", "stderr",
        "env", "workdir", "user", "network", "timeout", "resources", "retries", "retryExitCodes", "publish", "priority",
    ];

    /// <summary>The document; worth something only when no error was added meanwhile.</summary>
    internal static TaskDocument Read(ReadContext context, SourceValue root)
    {
        var document = new TaskDocument { Image = "", Commands = [] };
        if (context.Object(root, "a task document, which is an object such as {\"image\": \"alpine\", \"command\": [\"true\"]}") is not { } members)
            return document;

        IReadOnlyList<Placed<TaskInput>> inputs = [];
        IReadOnlyList<Placed<TaskOutput>> outputs = [];
        Dictionary<string, JsonElement>? extensions = null;
        foreach (var member in members)
        {
            var at = member.Value;
            switch (member.Name)
            {
                case "id": document = document with { Id = LabelReader.ReadId(context, at) }; break;
                case "name": document = document with { Name = LabelReader.ReadName(context, at) }; break;
                case "workflow": document = document with { Workflow = LabelReader.ReadWorkflow(context, at) }; break;
                case "tags": document = document with { Tags = LabelReader.ReadTags(context, at) }; break;
                case "image": document = document with { Image = LabelReader.ReadImage(context, at) ?? "" }; break;
                case "inputs": inputs = TransferReader.ReadInputs(context, at); break;
                case "outputs": outputs = TransferReader.ReadOutputs(context, at); break;
                case "env": document = document with { Environment = LabelReader.ReadEnvironment(context, at) }; break;
                case "workdir": document = document with { WorkingDirectory = LabelReader.ReadWorkingDirectory(context, at) }; break;
                case "user": document = document with { User = LabelReader.ReadUser(context, at) }; break;
                case "network": document = document with { Network = LabelReader.ReadNetwork(context, at) ?? TaskNetwork.Bridge }; break;
                case "timeout": document = document with { Timeout = ResourceReader.ReadTimeout(context, at) ?? TaskDocument.DefaultTimeout }; break;
                case "resources": document = document with { Resources = ResourceReader.Read(context, at) }; break;
                case "retries": document = document with { Retries = (int?)context.Integer(at, 0, Limits.MaxRetries) ?? 0 }; break;
                case "retryExitCodes": document = document with { RetryExitCodes = ReadExitCodes(context, at) }; break;
                case "publish": document = document with { Publish = LabelReader.ReadPublishing(context, at) ?? TaskPublishing.Staged }; break;
                case "priority": document = document with { Priority = (int?)context.Integer(at, 0, Limits.MaxPriority) ?? 0 }; break;
                // Editors find the schema of a file by this key.
                case "$schema": context.String(at, TaskDocumentSchema.Id); break;
                case "ignoreError": context.Error(member, "\"ignoreError\" belongs to one command: write \"commands\": [{\"command\": […], \"ignoreError\": true}]"); break;
                case "commands": break;
                default:
                    if (!CommandReader.IsShortKey(member.Name))
                        context.Unknown(member, Keys, ref extensions);
                    break;
            }
        }
        if (!members.Any(member => member.Name == "image"))
            context.Error(root, "the key \"image\" is missing: the container image to run in, such as \"alpine:latest\"");
        var commands = ReadCommands(context, root, members);
        PathConflicts.Check(context, inputs, outputs, commands);
        return document with
        {
            Commands = [.. commands.Select(command => command.Command)],
            Inputs = [.. inputs.Select(input => input.Value)],
            Outputs = [.. outputs.Select(output => output.Value)],
            Extensions = extensions ?? document.Extensions,
        };
    }

    private static IReadOnlyList<PlacedCommand> ReadCommands(ReadContext context, SourceValue root, IReadOnlyList<SourceMember> members)
    {
        if (members.FirstOrDefault(member => member.Name == "commands") is { Value: { } list })
        {
            foreach (var member in members.Where(member => CommandReader.IsShortKey(member.Name)))
                context.Error(member, $"\"{member.Name}\" at the top is the short form for one command and does not go together with \"commands\"");
            return CommandReader.ReadAll(context, list);
        }
        if (!members.Any(member => member.Name == "command"))
            context.Error(root, "there is neither \"command\" nor \"commands\": what to run");
        return CommandReader.ReadShort(context, members) is { } command ? [command] : [];
    }

    private static int[] ReadExitCodes(ReadContext context, SourceValue value)
    {
        var codes = new List<int>();
        foreach (var item in context.Array(value, "an array of exit codes such as [75]") ?? [])
        {
            if (context.Integer(item, 1, Limits.MaxExitCode) is not { } code)
                continue;
            if (codes.Contains((int)code))
                context.Error(item, $"the exit code {code} is given twice");
            else
                codes.Add((int)code);
        }
        return [.. codes];
    }
}
