using System.Formats.Tar;
using System.IO.Pipelines;

using Docker.DotNet.Models;

using Sisyphus.Engine.Tasks;

namespace Sisyphus.Engine.Containers.Docker;

/// <summary>Files of a container through the engine's archive calls, as streams both ways.</summary>
internal sealed class ContainerFiles(EngineCalls calls, string containerId)
{
    public async Task<ContainerPathInfo?> StatAsync(string path, CancellationToken cancellationToken)
    {
        try
        {
            var found = await calls.CallAsync($"look at {path}", EngineCalls.Quick, (client, token) =>
                client.Containers.GetArchiveFromContainerAsync(containerId, new ContainerPathStatParameters { Path = Normal(path) }, statOnly: true, token), cancellationToken).ConfigureAwait(false);
            return GoFileMode.Describe(found.Stat.Mode, found.Stat.Size);
        }
        catch (TaskFailureException absent) when (absent.IsNotFound())
        {
            return null;
        }
    }

    public async Task<Stream?> ReadAsync(string path, CancellationToken cancellationToken)
    {
        try
        {
            var found = await calls.CallAsync($"read {path}", EngineCalls.Slow, (client, token) =>
                client.Containers.GetArchiveFromContainerAsync(containerId, new ContainerPathStatParameters { Path = Normal(path) }, statOnly: false, token), cancellationToken).ConfigureAwait(false);
            return new EngineReadStream(found.Stream!, calls, $"read {path}");
        }
        catch (TaskFailureException absent) when (absent.IsNotFound())
        {
            return null;
        }
    }

    public async Task WriteAsync(Func<TarWriter, CancellationToken, Task> write, CancellationToken cancellationToken)
    {
        var pipe = new Pipe();
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var sending = SendAsync(pipe.Reader, ended.Token);
        Exception? failure = null;
        try
        {
            await using var tar = new TarWriter(pipe.Writer.AsStream(leaveOpen: true), TarEntryFormat.Pax, leaveOpen: false);
            await write(tar, ended.Token).ConfigureAwait(false);
        }
        catch (Exception error)
        {
            failure = error;
            throw;
        }
        finally
        {
            // The engine must not take half an archive for a whole one.
            if (failure is not null)
                await ended.CancelAsync().ConfigureAwait(false);
            await pipe.Writer.CompleteAsync(failure).ConfigureAwait(false);
            if (failure is not null)
                await sending.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
        await sending.ConfigureAwait(false);
    }

    private async Task SendAsync(PipeReader archive, CancellationToken cancellationToken)
    {
        try
        {
            await calls.CallAsync("write files into the container", Timeout.InfiniteTimeSpan, async (client, token) =>
            {
                using var content = archive.AsStream(leaveOpen: true);
                // CopyUIDGID false: the owners are those of the entries.
                await client.Containers.ExtractArchiveToContainerAsync(containerId, new CopyToContainerParameters { Path = "/", AllowOverwriteDirWithFile = false, CopyUIDGID = false }, content, token).ConfigureAwait(false);
            }, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            // A writer that waits for room must not wait for ever.
            await archive.CompleteAsync().ConfigureAwait(false);
        }
    }

    // With a trailing slash the engine would follow a symbolic link.
    private static string Normal(string path) => path.Length > 1 ? path.TrimEnd('/') : path;
}
