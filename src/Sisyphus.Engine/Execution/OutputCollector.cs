using System.Formats.Tar;
using System.Text;

using Sisyphus.Engine.Containers;
using Sisyphus.Engine.Execution.Publishing;
using Sisyphus.Engine.Tasks;

namespace Sisyphus.Engine.Execution;

/// <summary>Fetches the outputs out of the stopped container into the workspace.</summary>
/// <remarks>They come as archives: nothing that a container left is opened as a path on this machine, links and devices are seen as what they are,
/// and whoever wrote a file in the container, here it belongs to the user that runs Sisyphus.</remarks>
internal sealed class OutputCollector(AttemptContext attempt, IContainer container, CommandRun run)
{
    private const char Replacement = '\uFFFD';

    /// <summary>Whether the internal path is in the tree or among the files that the output publishes from the container.</summary>
    public static bool Covers(TaskOutput output, string path) => output.Kind switch
    {
        TaskOutputKind.Directory => path.StartsWith(output.Path + "/", StringComparison.Ordinal),
        TaskOutputKind.Pattern => IsMatch(InternalPattern.Parse(output.Path), path),
        _ => false,
    };

    /// <exception cref="TaskFailureException"><see cref="FailureReason.OutputMissing"/> or <see cref="FailureReason.OutputUnsafe"/>.</exception>
    public async Task<IReadOnlyList<OutputFile>> CollectAsync(CancellationToken cancellationToken)
    {
        List<OutputFile> files = [];
        foreach (var output in attempt.Document.Outputs)
        {
            switch (output.Kind)
            {
                case TaskOutputKind.StandardOutput:
                    files.Add(new OutputFile(run.CapturedOutput!, output.Remote));
                    break;
                case TaskOutputKind.File:
                    await CollectFileAsync(output, files, cancellationToken).ConfigureAwait(false);
                    break;
                case TaskOutputKind.Directory:
                    await CollectTreeAsync(output, output.Path, _ => true, files, cancellationToken).ConfigureAwait(false);
                    break;
                case TaskOutputKind.Pattern:
                    var pattern = InternalPattern.Parse(output.Path);
                    await CollectTreeAsync(output, pattern.BaseDirectory, pattern.IsMatch, files, cancellationToken).ConfigureAwait(false);
                    break;
            }
        }

        return files;
    }

    private static bool IsMatch(InternalPattern pattern, string path) =>
        path.StartsWith(pattern.BaseDirectory + "/", StringComparison.Ordinal) && pattern.IsMatch(path[(pattern.BaseDirectory.Length + 1)..]);

    private async Task CollectFileAsync(TaskOutput output, List<OutputFile> files, CancellationToken cancellationToken)
    {
        if (run.Redirects.Find(output.Path) is { } redirected)
        {
            files.Add(new OutputFile(redirected, output.Remote));
            return;
        }

        var found = false;
        await ForEachEntryAsync(output.Path, async entry =>
        {
            if (entry.EntryType is not (TarEntryType.RegularFile or TarEntryType.V7RegularFile))
                throw Unsafe(output, output.Path, entry.EntryType);
            found = true;
            files.Add(new OutputFile(await SaveAsync(entry, cancellationToken).ConfigureAwait(false), output.Remote));
        }, cancellationToken).ConfigureAwait(false);
        if (!found && !output.Optional)
            throw new TaskFailureException(FailureReason.OutputMissing, $"The output {output.Path} was not written.");
    }

    private async Task CollectTreeAsync(TaskOutput output, string root, Func<string, bool> wanted, List<OutputFile> files, CancellationToken cancellationToken)
    {
        var before = files.Count;
        var saved = new Dictionary<string, string>(StringComparer.Ordinal);
        var isRoot = true;
        await ForEachEntryAsync(root, async entry =>
        {
            var relative = Relative(entry.Name);
            if (isRoot && entry.EntryType != TarEntryType.Directory)
                throw Unsafe(output, root, entry.EntryType);
            isRoot = false;
            if (entry.EntryType == TarEntryType.Directory || !wanted(relative))
                return;
            var key = output.Remote.Key + relative;
            if (relative.Contains(Replacement, StringComparison.Ordinal))
                throw new TaskFailureException(FailureReason.OutputUnsafe, $"The output {root}/{relative} has a name that is not UTF-8.");
            if (Encoding.UTF8.GetByteCount(key) > RemotePath.MaxKeyBytes)
                throw new TaskFailureException(FailureReason.OutputUnsafe, $"The output {root}/{relative} has a name that is too long for an object's key ({RemotePath.MaxKeyBytes:N0} bytes).");

            var local = entry.EntryType switch
            {
                TarEntryType.RegularFile or TarEntryType.V7RegularFile => await SaveAsync(entry, cancellationToken).ConfigureAwait(false),
                // A second name of a file of this very tree is one more copy of it; any other target is outside.
                TarEntryType.HardLink when saved.TryGetValue(Relative(entry.LinkName), out var target) => target,
                _ => throw Unsafe(output, $"{root}/{relative}", entry.EntryType),
            };
            saved[relative] = local;
            files.Add(new OutputFile(local, output.Remote.WithKey(key)));
        }, cancellationToken).ConfigureAwait(false);

        if (files.Count == before && !output.Optional)
        {
            throw new TaskFailureException(FailureReason.OutputMissing, isRoot
                ? $"The output {output.Path} was not written: there is no directory {root}."
                : $"The output {output.Path} is empty: no regular file {(output.Kind == TaskOutputKind.Pattern ? "matches" : "is in the directory")}.");
        }
    }

    private async Task ForEachEntryAsync(string path, Func<TarEntry, Task> visit, CancellationToken cancellationToken)
    {
        if (await container.ReadAsync(path, cancellationToken).ConfigureAwait(false) is not { } archive)
            return;
        await using (archive.ConfigureAwait(false))
        {
            var reader = new TarReader(archive, leaveOpen: true);
            await using (reader.ConfigureAwait(false))
            {
                while (await reader.GetNextEntryAsync(copyData: false, cancellationToken).ConfigureAwait(false) is { } entry)
                    await visit(entry).ConfigureAwait(false);
            }
        }
    }

    private async Task<string> SaveAsync(TarEntry entry, CancellationToken cancellationToken)
    {
        var path = attempt.Workspace.NewFile();
        var file = LocalFile.Create(path);
        await using (file.ConfigureAwait(false))
        {
            if (entry.DataStream is { } content)
                await content.CopyToAsync(file, 256 * 1024, cancellationToken).ConfigureAwait(false);
        }

        return path;
    }

    /// <summary>Entry names start with the last segment of the path that was asked for.</summary>
    private static string Relative(string name)
    {
        var slash = name.IndexOf('/');
        return slash < 0 ? "" : name[(slash + 1)..].TrimEnd('/');
    }

    private static TaskFailureException Unsafe(TaskOutput output, string path, TarEntryType type) =>
        new(FailureReason.OutputUnsafe, $"The output {output.Path}: {path} is {Describe(type)}; only regular files are published.");

    private static string Describe(TarEntryType type) => type switch
    {
        TarEntryType.SymbolicLink => "a symbolic link",
        TarEntryType.HardLink => "a hard link to a file outside of the output",
        TarEntryType.Fifo => "a FIFO",
        TarEntryType.CharacterDevice or TarEntryType.BlockDevice => "a device",
        TarEntryType.Directory => "a directory (end both paths with / to publish a directory)",
        TarEntryType.RegularFile or TarEntryType.V7RegularFile => "a file, not a directory",
        _ => $"an entry of type {type}",
    };
}
