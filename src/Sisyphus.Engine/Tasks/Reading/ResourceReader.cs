using System.Text.Json;

namespace Sisyphus.Engine.Tasks.Reading;

/// <summary>Limits of resources and of time.</summary>
internal static class ResourceReader
{
    private static readonly string[] Keys = ["cpus", "memory", "disk", "gpus", "pids", "shm"];

    internal static TaskResources Read(ReadContext context, SourceValue value)
    {
        var resources = TaskResources.Unlimited;
        Dictionary<string, JsonElement>? extensions = null;
        foreach (var member in context.Object(value, "an object such as {\"cpus\": 2, \"memory\": \"512MiB\"}") ?? [])
        {
            var at = member.Value;
            switch (member.Name)
            {
                case "cpus": resources = resources with { Cpus = context.Number(at, Limits.MinCpus, Limits.MaxCpus) }; break;
                case "memory": resources = resources with { Memory = ReadSize(context, at, Limits.MinMemory) }; break;
                case "disk": resources = resources with { Disk = ReadSize(context, at, Limits.MinDisk) }; break;
                case "gpus": resources = resources with { Gpus = (int?)context.Integer(at, 1, Limits.MaxGpus) }; break;
                case "pids": resources = resources with { Pids = context.Integer(at, 1, Limits.MaxPids) }; break;
                case "shm": resources = resources with { SharedMemory = ReadSize(context, at, Limits.MinSharedMemory) }; break;
                default: context.Unknown(member, Keys, ref extensions); break;
            }
        }
        return extensions is null ? resources : resources with { Extensions = extensions };
    }

    internal static TimeSpan? ReadTimeout(ReadContext context, SourceValue value)
    {
        string? error = null;
        TimeSpan timeout;
        switch (value.Kind)
        {
            case JsonValueKind.Number when DurationText.TryFromSeconds(value.Text, out timeout):
            case JsonValueKind.String when DurationText.TryParse(value.Text, out timeout, out error):
                if (timeout >= Limits.MinTimeout && timeout <= Limits.MaxTimeout)
                    return timeout;
                break;
            case not (JsonValueKind.Number or JsonValueKind.String):
                context.WrongType(value, "seconds or a duration such as \"90m\" or \"PT1H30M\"");
                return null;
        }
        context.Error(value, error ?? "a timeout is at least a millisecond and at most 30 days");
        return null;
    }

    private static long? ReadSize(ReadContext context, SourceValue value, long minimum)
    {
        if (value.Kind == JsonValueKind.Number)
            return context.Integer(value, minimum, Limits.MaxSize);
        if (value.Kind != JsonValueKind.String)
            context.WrongType(value, "bytes or a size such as \"512MiB\"");
        else if (!SizeText.TryParse(value.Text, out var bytes, out var error))
            context.Error(value, error);
        else if (bytes < minimum || bytes > Limits.MaxSize)
            context.Error(value, $"expected {SizeText.Format(minimum)} to {SizeText.Format(Limits.MaxSize)}, but found {value.Text}");
        else
            return bytes;
        return null;
    }
}
