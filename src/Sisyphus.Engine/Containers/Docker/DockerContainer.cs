using System.Formats.Tar;
using System.Net;

using Docker.DotNet.Models;

using Sisyphus.Engine.Tasks;

namespace Sisyphus.Engine.Containers.Docker;

/// <summary>A task's container: its own command as the main process, or the waiting program and commands by exec.</summary>
internal sealed class DockerContainer : IContainer
{
    /// <summary>Stands for the waiting program where a command is named in a message.</summary>
    public static readonly TaskCommand Waiting = new([WaitProgram.Path]);

    private readonly ContainerSpec _spec;
    private readonly EngineCalls _calls;
    private readonly ContainerFiles _files;
    private readonly ContainerCommands _commands;
    private int _disposed;
    private int _ran;

    public DockerContainer(string id, ContainerSpec spec, EngineCalls calls, string image)
    {
        (Id, _spec, _calls) = (id, spec, calls);
        _files = new(calls, id);
        _commands = new(id, spec, calls, image);
    }

    public string Id { get; }

    public long? PeakMemory => _commands.PeakMemory;

    public Task<ContainerPathInfo?> StatAsync(string path, CancellationToken cancellationToken) => _files.StatAsync(path, cancellationToken);

    public Task WriteAsync(Func<TarWriter, CancellationToken, Task> write, CancellationToken cancellationToken) => _files.WriteAsync(write, cancellationToken);

    public Task<Stream?> ReadAsync(string path, CancellationToken cancellationToken) => _files.ReadAsync(path, cancellationToken);

    public Task<CommandExit> RunAsync(TaskCommand command, Stream? standardInput, Stream standardOutput, Stream standardError, CancellationToken cancellationToken)
    {
        if (_spec.Command is null)
            return _commands.ExecuteAsync(command, standardInput, standardOutput, standardError, cancellationToken);
        if (Interlocked.Exchange(ref _ran, 1) != 0)
            throw new InvalidOperationException("The container's own command has been run already.");
        return _commands.RunMainAsync(_spec.Command, standardInput, standardOutput, standardError, cancellationToken);
    }

    public async Task StopAsync(TimeSpan grace, CancellationToken cancellationToken)
    {
        var seconds = (uint)Math.Clamp(Math.Ceiling(grace.TotalSeconds), 0, 3600);
        try
        {
            await _calls.CallAsync("stop the container", grace + EngineCalls.Slow, (client, token) =>
                client.Containers.StopContainerAsync(Id, new ContainerStopParameters { WaitBeforeKillSeconds = seconds }, token), cancellationToken).ConfigureAwait(false);
        }
        catch (TaskFailureException gone) when (gone.IsNotFound())
        {
            // Stopped for good.
        }
    }

    public async Task<long?> GetLayerSizeAsync(CancellationToken cancellationToken)
    {
        var found = await _calls.CallAsync("measure the container's layer", EngineCalls.Slow, (client, token) =>
            client.Containers.InspectContainerAsync(Id, new ContainerInspectParameters { IncludeSize = true }, token), cancellationToken).ConfigureAwait(false);
        return found.SizeRw;
    }

    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) == 0)
            await ContainerRemoval.RemoveAsync(_calls, Id).ConfigureAwait(false);
    }

    /// <summary>Puts the waiting program in and starts it.</summary>
    public async Task StartWaitingAsync(WaitProgram program, CancellationToken cancellationToken)
    {
        await WriteAsync(program.WriteAsync, cancellationToken).ConfigureAwait(false);
        await _commands.StartAsync(Waiting, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>What a refusal to create or start means for the task; the failure itself where it means nothing special.</summary>
    public static TaskFailureException StartFailure(TaskFailureException failure, TaskCommand command, ContainerSpec spec, string image)
    {
        if (failure.Answer() is not { } answer)
            return failure;
        var sentence = EngineErrors.Sentence(answer);
        if (spec.Network is NetworkSandbox sandbox && sandbox.IsMissing(sentence))
        {
            sandbox.Usable = false;
            return new(FailureReason.EngineUnavailable, $"The network sandbox that the task's container was to join is gone: {sentence}", answer);
        }
        if (StartErrors.Describe(sentence, command, spec, image, answer) is { } described)
            return described;
        return answer.StatusCode == HttpStatusCode.NotFound
            ? new(FailureReason.Internal, "The task's container was removed before it could start.", answer)
            : failure;
    }
}
