using Sisyphus.Engine.Containers;

namespace Sisyphus.Engine.Execution;

/// <summary>What is fed to a command.</summary>
internal sealed class StandardInput : IAsyncDisposable
{
    public static readonly StandardInput None = new(null, Stream.Null);

    private readonly IAsyncDisposable _owner;

    private StandardInput(Stream? content, IAsyncDisposable owner)
    {
        Content = content;
        _owner = owner;
    }

    /// <summary>Null for an empty input.</summary>
    public Stream? Content { get; }

    public static StandardInput Local(string path)
    {
        var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 1, FileOptions.Asynchronous | FileOptions.SequentialScan);
        return new StandardInput(file, file);
    }

    /// <summary>Null when there is no regular file at the path.</summary>
    public static async Task<StandardInput?> FromContainerAsync(IContainer container, string path, CancellationToken cancellationToken) =>
        await ContainerFile.OpenAsync(container, path, cancellationToken).ConfigureAwait(false) is { } file ? new StandardInput(file.Content, file) : null;

    public ValueTask DisposeAsync() => _owner.DisposeAsync();
}
