using Docker.DotNet.Models;

using Sisyphus.Engine.Tasks;

namespace Sisyphus.Engine.Containers.Docker;

/// <summary>Makes network sandboxes, and the image they run.</summary>
internal sealed class NetworkSandboxes(EngineCalls calls, DockerImages images) : IDisposable
{
    private readonly SemaphoreSlim _importing = new(1, 1);

    public async Task<NetworkSandbox> CreateAsync(WaitProgram program, IReadOnlyDictionary<string, string> labels, bool allowMetadata, CancellationToken cancellationToken)
    {
        var imageId = await ImageAsync(program, cancellationToken).ConfigureAwait(false);
        var parameters = ContainerParameters.OfSandbox(imageId, labels, blockMetadata: !allowMetadata);
        var id = await ContainerCreation.CreateAsync(calls, parameters, "create the network sandbox", cancellationToken).ConfigureAwait(false);
        var sandbox = new NetworkSandbox(calls, id);
        try
        {
            if (allowMetadata)
                await StartAsync(id, cancellationToken).ConfigureAwait(false);
            else
                await StartBlockedAsync(id, cancellationToken).ConfigureAwait(false);
            return sandbox;
        }
        catch
        {
            await sandbox.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    public void Dispose() => _importing.Dispose();

    private Task<bool> StartAsync(string id, CancellationToken cancellationToken) =>
        calls.CallAsync("start the network sandbox", EngineCalls.Slow, (client, token) => client.Containers.StartContainerAsync(id, null, token), cancellationToken);

    // No task may join before the routes are set: the waiting program says so with one byte, and with its end when it can't.
    private async Task StartBlockedAsync(string id, CancellationToken cancellationToken)
    {
        using var output = await calls.CallAsync("attach to the network sandbox", EngineCalls.Slow, (client, token) =>
            client.Containers.AttachContainerAsync(id, new ContainerAttachParameters { Stream = true, Stdout = true }, token), cancellationToken).ConfigureAwait(false);
        await StartAsync(id, cancellationToken).ConfigureAwait(false);
        var ready = await calls.CallAsync("hear from the network sandbox", EngineCalls.Quick, (_, token) => output.ReadOutputAsync(new byte[1], 0, 1, token), cancellationToken).ConfigureAwait(false);
        if (!ready.EOF)
            return;
        var ended = await calls.CallAsync("ask how the network sandbox ended", EngineCalls.Quick, (client, token) => client.Containers.InspectContainerAsync(id, token), cancellationToken).ConfigureAwait(false);
        throw new TaskFailureException(FailureReason.EngineUnavailable,
            $"The cloud's metadata address could not be blocked in the network sandbox (error {ended.State?.ExitCode}), so no task is let into it. A node's policy may allow that address (AllowMetadata).");
    }

    private async Task<string> ImageAsync(WaitProgram program, CancellationToken cancellationToken)
    {
        var reference = $"{WaitProgram.Repository}:{program.Tag}";
        if (await images.FindAsync(reference, cancellationToken).ConfigureAwait(false) is { } present)
            return present.Id;
        await _importing.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            if (await images.FindAsync(reference, cancellationToken).ConfigureAwait(false) is { } imported)
                return imported.Id;
            using var tar = await program.AsTarAsync(cancellationToken).ConfigureAwait(false);
            await images.ImportAsync(tar, WaitProgram.Repository, program.Tag, cancellationToken).ConfigureAwait(false);
            return (await images.FindAsync(reference, cancellationToken).ConfigureAwait(false))?.Id
                ?? throw new TaskFailureException(FailureReason.EngineUnavailable, $"The container engine does not have the image {reference} that it has just imported.");
        }
        finally
        {
            _importing.Release();
        }
    }
}
