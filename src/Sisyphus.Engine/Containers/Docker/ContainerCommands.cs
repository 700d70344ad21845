using System.Globalization;

using Docker.DotNet.Models;

using Sisyphus.Engine.Tasks;

namespace Sisyphus.Engine.Containers.Docker;

/// <summary>Runs the commands of one container to their ends.</summary>
internal sealed class ContainerCommands(string id, ContainerSpec spec, EngineCalls calls, string image)
{
    // An exec whose streams are closed is normally over; there is no call that waits for the others.
    private static readonly TimeSpan FirstLook = TimeSpan.FromMilliseconds(2);
    private static readonly TimeSpan LongestLook = TimeSpan.FromMilliseconds(250);

    private readonly OutOfMemory _outOfMemory = new(calls, id);
    private long _peak;

    public long? PeakMemory => Interlocked.Read(ref _peak) is > 0 and var peak ? peak : null;

    public async Task StartAsync(TaskCommand command, CancellationToken cancellationToken)
    {
        try
        {
            await calls.CallAsync("start the task's container", EngineCalls.Slow, (client, token) => client.Containers.StartContainerAsync(id, null, token), cancellationToken).ConfigureAwait(false);
        }
        catch (TaskFailureException failure) when (failure.Answer() is not null)
        {
            throw DockerContainer.StartFailure(failure, command, spec, image);
        }
    }

    /// <summary>Runs the container's main process. Its streams are attached before the start, so that nothing is missed.</summary>
    public Task<CommandExit> RunMainAsync(TaskCommand command, Stream? standardInput, Stream standardOutput, Stream standardError, CancellationToken cancellationToken) => TranslateAsync(async () =>
    {
        var stream = await calls.CallAsync("attach to the task's container", EngineCalls.Slow, (client, token) =>
            client.Containers.AttachContainerAsync(id, new ContainerAttachParameters { Stream = true, Stdin = true, Stdout = true, Stderr = true }, token), cancellationToken).ConfigureAwait(false);
        await using var attachment = new Attachment(stream, standardInput, standardOutput, standardError, cancellationToken);
        await StartAsync(command, cancellationToken).ConfigureAwait(false);
        await using (new MemorySampler(calls, id, Saw))
        {
            using var letGo = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            var exited = calls.CallAsync("wait for the task's container", Timeout.InfiniteTimeSpan, (client, token) => client.Containers.WaitContainerAsync(id, token), letGo.Token);
            try
            {
                await attachment.CompleteAsync(exited).ConfigureAwait(false);
            }
            finally
            {
                await letGo.CancelAsync().ConfigureAwait(false);
                await ((Task)exited).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
        var state = await StateAsync(cancellationToken).ConfigureAwait(false);
        if (state.Status is "removing" or "dead")
            throw RemovedUnderUs(null);
        var outOfMemory = state.OOMKilled || await WasOutOfMemoryAsync((int)state.ExitCode, cancellationToken).ConfigureAwait(false);
        // The engine notes the start when it has heard of it, for a short process after the end.
        var (started, finished) = (Time(state.StartedAt), Time(state.FinishedAt));
        return new CommandExit((int)state.ExitCode, outOfMemory, started < finished ? started : finished, finished);
    }, cancellationToken);

    /// <summary>Runs one more process in the container.</summary>
    public Task<CommandExit> ExecuteAsync(TaskCommand command, Stream? standardInput, Stream standardOutput, Stream standardError, CancellationToken cancellationToken) => TranslateAsync(async () =>
    {
        // User, environment and working directory are the container's own, set when it was created.
        var exec = await calls.CallAsync("prepare a command", EngineCalls.Slow, (client, token) => client.Exec.CreateContainerExecAsync(id, new ContainerExecCreateParameters
        {
            Cmd = [.. command.Arguments],
            AttachStdin = standardInput is not null,
            AttachStdout = true,
            AttachStderr = true,
        }, token), cancellationToken).ConfigureAwait(false);
        var started = DateTimeOffset.UtcNow;
        await using var output = new ExecOutput(standardOutput);
        await using (new MemorySampler(calls, id, Saw))
        {
            var stream = await calls.CallAsync("start a command", EngineCalls.Slow, (client, token) => client.Exec.StartContainerExecAsync(exec.ID, new ContainerExecStartParameters(), token), cancellationToken).ConfigureAwait(false);
            await using var attachment = new Attachment(stream, standardInput, output, standardError, cancellationToken);
            await attachment.CompleteAsync(Task.CompletedTask).ConfigureAwait(false);
        }
        var ended = await EndOfExecAsync(exec.ID, cancellationToken).ConfigureAwait(false);
        // A process that never was: what came on its stream is the runtime's complaint.
        if (ended.Pid == 0 && output.Held is { Length: > 0 } complaint)
            throw StartErrors.Describe(complaint, command, spec, image, null)
                ?? new TaskFailureException(FailureReason.Internal, $"The container engine could not start \"{command.Arguments[0]}\": {complaint}");
        await output.ReleaseAsync(cancellationToken).ConfigureAwait(false);
        var code = (int)(ended.ExitCode ?? 137);
        return new CommandExit(code, await WasOutOfMemoryAsync(code, cancellationToken).ConfigureAwait(false), started, DateTimeOffset.UtcNow);
    }, cancellationToken, command);

    private async Task<ContainerExecInspectResponse> EndOfExecAsync(string execId, CancellationToken cancellationToken)
    {
        for (var pause = FirstLook; ; pause = pause * 2 > LongestLook ? LongestLook : pause * 2)
        {
            var found = await calls.CallAsync("ask how a command ended", EngineCalls.Quick, (client, token) => client.Exec.InspectContainerExecAsync(execId, token), cancellationToken).ConfigureAwait(false);
            if (!found.Running)
                return found;
            // The engine forgets to close the books on an exec that died with its container.
            if (pause == LongestLook && !(await StateAsync(cancellationToken).ConfigureAwait(false)).Running)
                return new() { Pid = found.Pid, ExitCode = 137 };
            await Task.Delay(pause, cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task<State> StateAsync(CancellationToken cancellationToken) =>
        (await calls.CallAsync("ask how the task's container ended", EngineCalls.Quick, (client, token) => client.Containers.InspectContainerAsync(id, token), cancellationToken).ConfigureAwait(false)).State!;

    private async Task<bool> WasOutOfMemoryAsync(int exitCode, CancellationToken cancellationToken) =>
        exitCode != 0 && spec.Resources.Memory is not null && await _outOfMemory.HappenedAsync(cancellationToken).ConfigureAwait(false);

    private void Saw(long memory)
    {
        long known;
        while ((known = Interlocked.Read(ref _peak)) < memory && Interlocked.CompareExchange(ref _peak, memory, known) != known)
        {
        }
    }

    private async Task<CommandExit> TranslateAsync(Func<Task<CommandExit>> run, CancellationToken cancellationToken, TaskCommand? executed = null)
    {
        try
        {
            return await run().ConfigureAwait(false);
        }
        catch (SinkException error)
        {
            Attachment.Rethrow(error);
            throw;
        }
        catch (Exception) when (cancellationToken.IsCancellationRequested)
        {
            throw new OperationCanceledException(cancellationToken);
        }
        catch (TaskFailureException failure) when (executed is not null && failure.Answer() is { } answer && StartErrors.Describe(EngineErrors.Sentence(answer), executed, spec, image, answer) is { } described)
        {
            throw described;
        }
        catch (TaskFailureException failure) when (failure.Reason == FailureReason.Internal && (failure.IsNotFound() || failure.Answer() is { StatusCode: System.Net.HttpStatusCode.Conflict }))
        {
            throw RemovedUnderUs(failure);
        }
        catch (Exception error) when (error is not TaskFailureException && calls.Describe(error, "follow the task's output") is { } failure)
        {
            throw failure;
        }
    }

    private static TaskFailureException RemovedUnderUs(Exception? cause) =>
        new(FailureReason.Internal, "The task's container was removed or stopped by somebody else while it ran.", cause);

    private static DateTimeOffset Time(string text) =>
        DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var time) ? time : DateTimeOffset.UtcNow;
}
