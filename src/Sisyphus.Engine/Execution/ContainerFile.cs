using System.Formats.Tar;

using Sisyphus.Engine.Containers;

namespace Sisyphus.Engine.Execution;

/// <summary>One regular file of a container, open for reading.</summary>
internal sealed class ContainerFile : IAsyncDisposable
{
    private readonly Stream _archive;
    private readonly TarReader _reader;

    private ContainerFile(Stream archive, TarReader reader, Stream content)
    {
        _archive = archive;
        _reader = reader;
        Content = content;
    }

    public Stream Content { get; }

    /// <summary>Null when there is nothing at the path, or something that is no regular file.</summary>
    public static async Task<ContainerFile?> OpenAsync(IContainer container, string path, CancellationToken cancellationToken)
    {
        if (await container.ReadAsync(path, cancellationToken).ConfigureAwait(false) is not { } archive)
            return null;
        var reader = new TarReader(archive);
        if (await reader.GetNextEntryAsync(copyData: false, cancellationToken).ConfigureAwait(false) is { EntryType: TarEntryType.RegularFile or TarEntryType.V7RegularFile } entry)
            return new ContainerFile(archive, reader, entry.DataStream ?? Stream.Null);
        await reader.DisposeAsync().ConfigureAwait(false);
        await archive.DisposeAsync().ConfigureAwait(false);
        return null;
    }

    public async ValueTask DisposeAsync()
    {
        await _reader.DisposeAsync().ConfigureAwait(false);
        await _archive.DisposeAsync().ConfigureAwait(false);
    }
}
