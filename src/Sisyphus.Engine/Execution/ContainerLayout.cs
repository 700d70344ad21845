using System.Formats.Tar;

using Sisyphus.Engine.Containers;
using Sisyphus.Engine.Tasks;

namespace Sisyphus.Engine.Execution;

/// <summary>Makes the places ready that a document says it writes to: missing directories are made, existing ones handed to the container's user.</summary>
/// <remarks>A program that runs as an ordinary user can't write to an image's root-owned <c>/mnt</c>; the document said that it will. Only the container's own layer changes.</remarks>
internal sealed class ContainerLayout(IContainer container, ContainerUser user)
{
    private const UnixFileMode DefaultMode = (UnixFileMode)0b111_101_101;
    private const UnixFileMode OthersWrite = UnixFileMode.OtherWrite;
    private readonly SortedDictionary<string, UnixFileMode> _directories = new(StringComparer.Ordinal);
    private readonly Dictionary<string, ContainerPathInfo?> _known = [];

    public async Task PrepareAsync(TaskDocument document, InputStage.Staged staged, CancellationToken cancellationToken)
    {
        foreach (var path in WrittenDirectories(document))
            await NeedAsync(path, cancellationToken).ConfigureAwait(false);
        if (_directories.Count > 0 || staged.Copied.Count > 0)
        {
            await container.WriteAsync(async (tar, token) =>
            {
                // Ordinal order puts a parent before its children.
                foreach (var (path, mode) in _directories)
                    await tar.WriteEntryAsync(Entry(TarEntryType.Directory, path, mode), token).ConfigureAwait(false);
                foreach (var input in staged.Copied)
                    await WriteInputAsync(tar, input, token).ConfigureAwait(false);
            }, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Puts one local file into the container, replacing what is there.</summary>
    public Task WriteFileAsync(string path, string localPath, CancellationToken cancellationToken) =>
        container.WriteAsync((tar, token) => WriteFileAsync(tar, path, localPath, token), cancellationToken);

    private static IEnumerable<string> WrittenDirectories(TaskDocument document)
    {
        foreach (var output in document.Outputs)
        {
            switch (output.Kind)
            {
                case TaskOutputKind.File:
                    yield return Parent(output.Path);
                    break;
                case TaskOutputKind.Directory:
                    yield return output.Path;
                    break;
                case TaskOutputKind.Pattern:
                    yield return InternalPattern.Parse(output.Path).BaseDirectory;
                    break;
            }
        }

        foreach (var command in document.Commands)
        {
            foreach (var redirect in new[] { command.StandardOutput, command.StandardError })
            {
                if (redirect is not null)
                    yield return Parent(redirect);
            }
        }
    }

    private async Task NeedAsync(string path, CancellationToken cancellationToken)
    {
        if (path == "/")
            return;
        var info = await StatAsync(path, cancellationToken).ConfigureAwait(false);
        if (info is null)
        {
            await NeedAncestorAsync(Parent(path), cancellationToken).ConfigureAwait(false);
            _directories[path] = DefaultMode;
        }
        else if (info.Kind == ContainerPathKind.Directory && (info.Mode & OthersWrite) == 0)
        {
            _directories[path] = info.Mode;
        }
    }

    /// <summary>Missing ancestors are made; existing ones, which the document does not name, keep their owner.</summary>
    private async Task NeedAncestorAsync(string path, CancellationToken cancellationToken)
    {
        if (path == "/" || await StatAsync(path, cancellationToken).ConfigureAwait(false) is not null)
            return;
        await NeedAncestorAsync(Parent(path), cancellationToken).ConfigureAwait(false);
        _directories[path] = DefaultMode;
    }

    private async Task<ContainerPathInfo?> StatAsync(string path, CancellationToken cancellationToken)
    {
        if (!_known.TryGetValue(path, out var info))
            _known[path] = info = await container.StatAsync(path, cancellationToken).ConfigureAwait(false);
        return info;
    }

    private async Task WriteInputAsync(TarWriter tar, InputStage.CopiedInput input, CancellationToken cancellationToken)
    {
        if (input.IsDirectory)
        {
            await tar.WriteEntryAsync(Entry(TarEntryType.Directory, input.Path, DefaultMode), cancellationToken).ConfigureAwait(false);
            var made = new HashSet<string>(StringComparer.Ordinal);
            foreach (var (relative, _) in input.Files)
            {
                for (var slash = relative.IndexOf('/'); slash >= 0; slash = relative.IndexOf('/', slash + 1))
                {
                    if (made.Add(relative[..slash]))
                        await tar.WriteEntryAsync(Entry(TarEntryType.Directory, $"{input.Path}/{relative[..slash]}", DefaultMode), cancellationToken).ConfigureAwait(false);
                }
            }
        }

        foreach (var (relative, localPath) in input.Files)
            await WriteFileAsync(tar, relative.Length == 0 ? input.Path : $"{input.Path}/{relative}", localPath, cancellationToken).ConfigureAwait(false);
    }

    private async Task WriteFileAsync(TarWriter tar, string path, string localPath, CancellationToken cancellationToken)
    {
        var file = new FileStream(localPath, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 1, FileOptions.Asynchronous | FileOptions.SequentialScan);
        await using (file.ConfigureAwait(false))
        {
            var entry = Entry(TarEntryType.RegularFile, path, (UnixFileMode)0b110_100_100);
            entry.DataStream = file;
            await tar.WriteEntryAsync(entry, cancellationToken).ConfigureAwait(false);
        }
    }

    private PaxTarEntry Entry(TarEntryType type, string path, UnixFileMode mode) =>
        new(type, path[1..]) { Uid = user.Uid, Gid = user.Gid, Mode = mode };

    private static string Parent(string path)
    {
        var slash = path.LastIndexOf('/');
        return slash <= 0 ? "/" : path[..slash];
    }
}
