namespace Sisyphus.Engine.Tasks.Reading;

/// <summary>What no key can see on its own: two things in one place.</summary>
/// <remarks>The rules, as <c>docs/task-document.md</c> has them: no input at or around another; no output at or around another, on either side;
/// a read-only input and an output never meet; a writable input is the container's own, and an output may take what became of it.</remarks>
internal static class PathConflicts
{
    private const string WritableHint = "; an input that commands may change is {\"path\": …, \"writable\": true}";

    internal static void Check(ReadContext context, IReadOnlyList<Placed<TaskInput>> inputs, IReadOnlyList<Placed<TaskOutput>> outputs, IReadOnlyList<PlacedCommand> commands)
    {
        var places = outputs.Select(Place.Of).ToList();
        var patterns = places.FindAll(place => place.Pattern is not null);
        if (patterns.Count > Limits.MaxPatterns)
        {
            context.Error(patterns[Limits.MaxPatterns].At, $"a document may have {Limits.MaxPatterns} patterns");
            return;
        }
        var inputPlaces = inputs.Select(Place.Of).ToList();
        var (readOnly, writable) = CheckInputs(context, inputs, inputPlaces);
        CheckRemotes(context, inputs, outputs);
        var taken = CheckOutputs(context, places, patterns);
        CheckAgainstInputs(context, inputs, inputPlaces, readOnly, writable, places);
        RedirectConflicts.Check(context, readOnly, [readOnly, writable, taken], commands);
    }

    private static (PathIndex<Place> ReadOnly, PathIndex<Place> Writable) CheckInputs(ReadContext context, IReadOnlyList<Placed<TaskInput>> inputs, List<Place> places)
    {
        var (all, readOnly, writable) = (new PathIndex<Place>(), new PathIndex<Place>(), new PathIndex<Place>());
        for (var i = 0; i < places.Count; i++)
        {
            var place = places[i];
            if (all.Near(place.Path) is { } other)
                context.Error(place.At, place.Against(other));
            all.Add(place.Path, place);
            (inputs[i].Value.Writable ? writable : readOnly).Add(place.Path, place);
        }
        return (readOnly, writable);
    }

    /// <summary>An object and objects "below" it count as one place: where a store is a directory tree, a file can't be a folder as well.</summary>
    private static void CheckRemotes(ReadContext context, IReadOnlyList<Placed<TaskInput>> inputs, IReadOnlyList<Placed<TaskOutput>> outputs)
    {
        var sources = new HashSet<RemotePath>();
        foreach (var input in inputs)
        {
            if (!sources.Add(input.Value.Remote))
                context.Error(input.Remote, $"the remote path {input.Value.Remote} is an input already");
        }
        var targets = new PathIndex<RemotePath>();
        foreach (var output in outputs)
        {
            var remote = output.Value.Remote;
            var path = $"/{remote.Scheme}:{remote.Bucket}/{remote.Key}".TrimEnd('/');
            if (targets.Near(path) is { } other)
                context.Error(output.Remote, $"the output goes to the same place as another, or below or above it: {other}");
            targets.Add(path, remote);
        }
    }

    /// <returns>Where outputs are, and the directories that patterns look in.</returns>
    private static PathIndex<Place> CheckOutputs(ReadContext context, List<Place> places, List<Place> patterns)
    {
        var taken = new PathIndex<Place>();
        foreach (var place in places)
        {
            if (place.Pattern is null)
            {
                if (taken.Near(place.Path) is { } other)
                    context.Error(place.At, place.Against(other));
                taken.Add(place.Path, place);
            }
        }
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var pattern in patterns)
        {
            if (!seen.Add(pattern.Path))
                context.Error(pattern.At, pattern.Against(pattern));
            if (places.Find(place => place.Pattern is null && place.Meets(pattern.Pattern!)) is { } other)
                context.Error(pattern.At, pattern.Against(other));
        }
        foreach (var pattern in patterns)
            taken.Add(pattern.Pattern!.BaseDirectory, pattern with { IsDirectory = true });
        return taken;
    }

    private static void CheckAgainstInputs(
        ReadContext context, IReadOnlyList<Placed<TaskInput>> inputs, List<Place> inputPlaces, PathIndex<Place> readOnly, PathIndex<Place> writable, List<Place> outputs)
    {
        foreach (var output in outputs)
        {
            if (output.Pattern is null)
            {
                if (readOnly.Near(output.Path) is { } fixedInput)
                    context.Error(output.At, output.Against(fixedInput) + WritableHint);
                else if (Contradiction(writable, output.Path, output.IsDirectory) is { } changed)
                    context.Error(output.At, output.Against(changed));
                continue;
            }
            for (var i = 0; i < inputs.Count; i++)
            {
                var meets = inputs[i].Value.Writable
                    ? !inputPlaces[i].IsDirectory && InternalPath.IsInside(output.Pattern.BaseDirectory, inputPlaces[i].Path)
                    : inputPlaces[i].Meets(output.Pattern);
                if (!meets)
                    continue;
                context.Error(output.At, output.Against(inputPlaces[i]) + (inputs[i].Value.Writable ? "" : WritableHint));
                break;
            }
        }
    }

    /// <summary>The input that makes a directory of what the output calls a file, or the other way round.</summary>
    private static Place? Contradiction(PathIndex<Place> inputs, string path, bool isDirectory) =>
        inputs.At(path) is { } same ? (same.IsDirectory == isDirectory ? null : same)
        : inputs.Above(path) is { IsDirectory: false } file ? file
        : isDirectory ? null : inputs.Below(path);
}
