namespace Sisyphus.Engine.Tasks.Reading;

/// <summary>Redirects that can't work: into a read-only input, from or to a directory, or from the file that they write.</summary>
internal static class RedirectConflicts
{
    /// <param name="readOnly">Inputs that no command may change.</param>
    /// <param name="taken">Everything that is an input or an output, or a directory that a pattern looks in.</param>
    internal static void Check(ReadContext context, PathIndex<Place> readOnly, PathIndex<Place>[] taken, IReadOnlyList<PlacedCommand> commands)
    {
        var files = new PathIndex<Redirect>();
        foreach (var command in commands)
        {
            foreach (var redirect in new[] { command.Input, command.Output, command.Error }.OfType<Redirect>())
            {
                var isWritten = redirect != command.Input;
                var path = redirect.Path;
                if (taken.Select(index => index.At(path) is { IsDirectory: true } place ? place : index.Below(path)).FirstOrDefault(place => place is not null) is { } directory)
                    context.Error(redirect.At, $"{path} is a directory here, because of the {directory.What} {directory.Path}: a redirect names a file");
                else if (isWritten && (readOnly.At(path) ?? readOnly.Above(path)) is { } input)
                    context.Error(redirect.At, $"{path} is in the input {input.Path}, which is read-only; an input that commands may change is {{\"path\": …, \"writable\": true}}");
                else if (isWritten && path == command.Input?.Path)
                    context.Error(redirect.At, $"{path} is the stdin of the same command, and would be emptied before it is read");
                else if ((files.Above(path) ?? files.Below(path)) is { } other)
                    context.Error(redirect.At, $"{path} and {other.Path}, another redirect, can't both be files");
                if (isWritten)
                    files.Add(path, redirect);
            }
        }
    }
}
