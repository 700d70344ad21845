namespace Sisyphus.Engine.Tasks.Reading;

/// <summary>Redirects that can't work: into a read-only input, from or to a directory, or from the file that they write.</summary>
internal static class RedirectConflicts
{
    internal static void Check(
        ReadContext context, IReadOnlyList<Placed<TaskInput>> inputs, List<Place> inputPlaces, List<Place> outputPlaces, IReadOnlyList<PlacedCommand> commands)
    {
        var written = new List<Redirect>();
        foreach (var command in commands)
        {
            foreach (var redirect in new[] { command.Input, command.Output, command.Error }.OfType<Redirect>())
            {
                var isWritten = redirect != command.Input;
                if (DirectoryAt(redirect.Path, inputPlaces, outputPlaces) is { } directory)
                    context.Error(redirect.At, $"{redirect.Path} is a directory here, because of the {directory.What} {directory.Path}: a redirect names a file");
                else if (isWritten && inputs.FirstOrDefault(input => !input.Value.Writable && InternalPath.IsInside(redirect.Path, input.Value.Path)) is { } input)
                    context.Error(redirect.At, $"{redirect.Path} is in the input {input.Value.Path}, which is read-only; an input that commands may change is {{\"path\": …, \"writable\": true}}");
                else if (isWritten && redirect.Path == command.Input?.Path)
                    context.Error(redirect.At, $"{redirect.Path} is the stdin of the same command, and would be emptied before it is read");
                else if (written.Find(other => Nested(redirect.Path, other.Path)) is { } other)
                    context.Error(redirect.At, $"{redirect.Path} and {other.Path}, another redirect, can't both be files");
                if (isWritten)
                    written.Add(redirect);
            }
        }
    }

    /// <summary>What makes the path a directory: that it is one, or that something lies below it.</summary>
    private static Place? DirectoryAt(string path, List<Place> inputs, List<Place> outputs) =>
        inputs.Concat(outputs).FirstOrDefault(place => place.Pattern is not null
            ? InternalPath.IsInside(place.Pattern.BaseDirectory, path)
            : InternalPath.IsInside(place.Path, path) && (place.IsDirectory || place.Path != path));

    private static bool Nested(string left, string right) =>
        left != right && (InternalPath.IsInside(left, right) || InternalPath.IsInside(right, left));
}
