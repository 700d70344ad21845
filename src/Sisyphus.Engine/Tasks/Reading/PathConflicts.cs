namespace Sisyphus.Engine.Tasks.Reading;

/// <summary>What no key can see on its own: two things in one place.</summary>
/// <remarks>The rules, as <c>docs/task-document.md</c> has them: no input at or below another; no output at or below another, on either side;
/// a read-only input and an output never meet; a writable input is the container's own and an output may take what became of it.</remarks>
internal static class PathConflicts
{
    internal static void Check(ReadContext context, IReadOnlyList<Placed<TaskInput>> inputs, IReadOnlyList<Placed<TaskOutput>> outputs, IReadOnlyList<PlacedCommand> commands)
    {
        var inputPlaces = inputs.Select(input => new Place("input", input.Value.Path, input.Value.IsDirectory, null)).ToList();
        var outputPlaces = outputs.Select(output => Place.Of(output.Value)).ToList();
        CheckInputs(context, inputs, inputPlaces);
        CheckOutputs(context, outputs, outputPlaces);
        CheckInputsAgainstOutputs(context, inputs, inputPlaces, outputs, outputPlaces);
        RedirectConflicts.Check(context, inputs, inputPlaces, outputPlaces, commands);
    }

    private static void CheckInputs(ReadContext context, IReadOnlyList<Placed<TaskInput>> inputs, List<Place> places)
    {
        var remotes = new Dictionary<RemotePath, int>();
        for (var i = 0; i < inputs.Count; i++)
        {
            if (!remotes.TryAdd(inputs[i].Value.Remote, i))
                context.Error(inputs[i].Remote, $"the remote path {inputs[i].Value.Remote} is an input already");
            if (FirstConflict(places, i) is { } other)
                context.Error(inputs[i].Internal, Say(places[i], places[other]));
        }
    }

    private static void CheckOutputs(ReadContext context, IReadOnlyList<Placed<TaskOutput>> outputs, List<Place> places)
    {
        for (var i = 0; i < outputs.Count; i++)
        {
            if (FirstConflict(places, i) is { } other)
                context.Error(outputs[i].Internal, Say(places[i], places[other]));
            for (var j = 0; j < i; j++)
            {
                if (!Overlap(outputs[i].Value.Remote, outputs[j].Value.Remote))
                    continue;
                context.Error(outputs[i].Remote, $"the output goes to the same place as another, or below or above it: {outputs[j].Value.Remote}");
                break;
            }
        }
    }

    private static void CheckInputsAgainstOutputs(
        ReadContext context, IReadOnlyList<Placed<TaskInput>> inputs, List<Place> inputPlaces, IReadOnlyList<Placed<TaskOutput>> outputs, List<Place> outputPlaces)
    {
        for (var o = 0; o < outputs.Count; o++)
        {
            for (var i = 0; i < inputs.Count; i++)
            {
                var (input, output) = (inputPlaces[i], outputPlaces[o]);
                if (inputs[i].Value.Writable ? !output.Contradicts(input) : !output.Meets(input))
                    continue;
                context.Error(outputs[o].Internal, Say(output, input) + (inputs[i].Value.Writable ? "" : "; an input that commands may change is {\"path\": …, \"writable\": true}"));
                break;
            }
        }
    }

    /// <summary>Documents are small; where they are not, most places differ in their first bytes.</summary>
    private static int? FirstConflict(List<Place> places, int index)
    {
        for (var i = 0; i < index; i++)
        {
            if (places[index].Meets(places[i]))
                return i;
        }
        return null;
    }

    /// <summary>Also an object and objects "below" it: where a store is a directory tree a file can't be a folder as well.</summary>
    private static bool Overlap(RemotePath left, RemotePath right)
    {
        if (left.Scheme != right.Scheme || left.Bucket != right.Bucket)
            return false;
        var (a, b) = (left.Key.TrimEnd('/'), right.Key.TrimEnd('/'));
        return a.Length == 0 || b.Length == 0 || InternalPath.IsInside(a, b) || InternalPath.IsInside(b, a);
    }

    private static string Say(Place place, Place other) =>
        place.Path == other.Path ? $"{place.Path} is the path of another {other.What}"
        : place.Pattern is null && other.Pattern is null
            ? InternalPath.IsInside(place.Path, other.Path)
                ? $"{place.Path} lies inside {other.Path}, which is an {other.What}"
                : $"{place.Path} contains {other.Path}, which is an {other.What}"
            : $"{place.Path} and the {other.What} {other.Path} meet in the same files";
}
