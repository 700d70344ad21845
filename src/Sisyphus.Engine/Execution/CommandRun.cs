using Sisyphus.Engine.Containers;
using Sisyphus.Engine.Tasks;

namespace Sisyphus.Engine.Execution;

/// <summary>Runs a document's commands in their container: streams, redirects, time limit. Tells what ran also when it fails.</summary>
internal sealed class CommandRun(AttemptContext attempt, IContainer container, ContainerLayout layout, InputStage.Staged staged)
{
    private enum Limit
    {
        Time,
        Disk,
    }

    private readonly List<CommandResult> _results = [];
    private readonly LineTail _stdoutTail = new(attempt.Options.TailLines);
    private readonly LineTail _stderrTail = new(attempt.Options.TailLines);

    public IReadOnlyList<CommandResult> Results => _results;
    public string StandardOutputTail => _stdoutTail.ToString();
    public string StandardErrorTail => _stderrTail.ToString();
    public RedirectTable Redirects { get; } = new();
    /// <summary>What the document's <c>&gt;</c> publishes, or null when it has none.</summary>
    public string? CapturedOutput { get; private set; }

    /// <exception cref="TaskFailureException">The first failure that is not ignored.</exception>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var document = attempt.Document;
        if (document.Outputs.Any(output => output.Kind == TaskOutputKind.StandardOutput))
            CapturedOutput = attempt.Workspace.NewFile();
        var capture = CapturedOutput is null ? Stream.Null : LocalFile.Create(CapturedOutput);
        await using (capture.ConfigureAwait(false))
        {
            var deadline = attempt.Time.GetTimestamp();
            for (var index = 0; index < document.Commands.Count; index++)
            {
                var left = document.Timeout - attempt.Time.GetElapsedTime(deadline);
                await RunOneAsync(index, capture, left, cancellationToken).ConfigureAwait(false);
            }
        }
    }

    private async Task RunOneAsync(int index, Stream capture, TimeSpan left, CancellationToken cancellationToken)
    {
        var document = attempt.Document;
        var command = document.Commands[index];
        await attempt.Events.CommandAsync(index, document.Commands.Count, command, cancellationToken).ConfigureAwait(false);
        attempt.Log.Note($"command {index + 1} of {document.Commands.Count}: {command}");

        var files = new Dictionary<string, FileStream>(StringComparer.Ordinal);
        CommandExit exit;
        Limit? exceeded;
        try
        {
            var stdout = Sink(OutputStream.StandardOutput, command.StandardOutput, capture, files);
            var stderr = Sink(OutputStream.StandardError, command.StandardError, Stream.Null, files);
            var stdin = await OpenStandardInputAsync(command.StandardInput, cancellationToken).ConfigureAwait(false);
            await using (stdin.ConfigureAwait(false))
                (exit, exceeded) = await RunWithinLimitsAsync(command, stdin.Content, stdout, stderr, left, cancellationToken).ConfigureAwait(false);
            await stdout.EndAsync(cancellationToken).ConfigureAwait(false);
            await stderr.EndAsync(cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            foreach (var file in files.Values)
                await file.DisposeAsync().ConfigureAwait(false);
        }

        _results.Add(new CommandResult(command.ToString(), exit.ExitCode, exit.Started, exit.Finished));
        attempt.Log.Note(FormattableString.Invariant($"exit code {exit.ExitCode} after {(exit.Finished - exit.Started).TotalSeconds:0.000} s"));
        ThrowIfFailed(index, command, exit, exceeded);
        await ShareRedirectsAsync(files, isLast: index == document.Commands.Count - 1, cancellationToken).ConfigureAwait(false);
    }

    private async Task<(CommandExit Exit, Limit? Exceeded)> RunWithinLimitsAsync(
        TaskCommand command, Stream? stdin, OutputSink stdout, OutputSink stderr, TimeSpan left, CancellationToken cancellationToken)
    {
        using var watching = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var run = container.RunAsync(command, stdin, stdout, stderr, cancellationToken);
        var time = Task.Delay(left > TimeSpan.Zero ? left : TimeSpan.Zero, attempt.Time, watching.Token);
        var disk = new DiskWatch(attempt, container, staged.Records.Sum(input => input.Size)).WatchAsync(watching.Token);

        var first = await Task.WhenAny(run, time, disk).ConfigureAwait(false);
        Limit? exceeded = !first.IsCompletedSuccessfully || first == run ? null : first == time ? Limit.Time : Limit.Disk;
        if (exceeded is not null)
        {
            attempt.Log.Note(exceeded == Limit.Time ? "the time limit is reached; stopping" : "the disk limit is exceeded; stopping");
            // The pump keeps draining meanwhile: the program may still have last words.
            await container.StopAsync(attempt.Options.StopGrace, cancellationToken).ConfigureAwait(false);
        }

        var exit = await run.ConfigureAwait(false);
        await watching.CancelAsync().ConfigureAwait(false);
        await Task.WhenAll(time, disk).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return (exit, exceeded);
    }

    private OutputSink Sink(OutputStream stream, string? redirect, Stream capture, Dictionary<string, FileStream> files)
    {
        List<Stream> targets = [];
        if (redirect is not null)
        {
            if (!files.TryGetValue(redirect, out var file))
            {
                var localPath = attempt.Workspace.NewFile();
                files[redirect] = file = LocalFile.Create(localPath);
                Redirects.Set(redirect, localPath);
            }

            targets.Add(file);
        }

        if (capture != Stream.Null)
            targets.Add(capture);
        // Redirected output is data: it may be binary and large, and reading it as lines would cost more than moving it.
        var lines = redirect is null ? new LineSplitter(attempt.Options.MaxLineLength) : null;
        return new OutputSink(targets, lines, (line, token) => OnLineAsync(stream, line, token));
    }

    private async ValueTask OnLineAsync(OutputStream stream, string line, CancellationToken cancellationToken)
    {
        (stream == OutputStream.StandardOutput ? _stdoutTail : _stderrTail).Add(line);
        attempt.Log.Write(stream, line);
        if (attempt.Options.ReportOutput)
            await attempt.Events.LineAsync(stream, line, cancellationToken).ConfigureAwait(false);
    }

    private async Task<StandardInput> OpenStandardInputAsync(string? path, CancellationToken cancellationToken)
    {
        if (path is null)
            return StandardInput.None;
        if (staged.FindReadOnly(path) is { } localPath)
            return StandardInput.Local(localPath);
        // Everything else may have been changed by an earlier command, so the container's own file is the one that counts.
        return await StandardInput.FromContainerAsync(container, path, cancellationToken).ConfigureAwait(false)
            ?? throw new TaskFailureException(FailureReason.InputMissing, $"The standard input {path} is no regular file in the container.");
    }

    private void ThrowIfFailed(int index, TaskCommand command, CommandExit exit, Limit? exceeded)
    {
        var which = attempt.Document.Commands.Count == 1 ? $"The command ({command})" : $"Command {index + 1} of {attempt.Document.Commands.Count} ({command})";
        if (exceeded == Limit.Time)
            throw new TaskFailureException(FailureReason.Timeout, $"{which} was stopped at the task's time limit of {DurationText.Format(attempt.Document.Timeout)}.");
        if (exceeded == Limit.Disk)
            throw new TaskFailureException(FailureReason.DiskFull, $"{which} was stopped for exceeding the task's disk limit of {SizeText.Format(attempt.Document.Resources.Disk ?? 0)}.") { IsRetryable = false };
        if (exit.OutOfMemory && exit.ExitCode != 0)
        {
            var limit = attempt.Document.Resources.Memory is { } memory ? $"the task's memory limit of {SizeText.Format(memory)}" : "the memory of the node";
            throw new TaskFailureException(FailureReason.OutOfMemory, $"{which} was killed for exceeding {limit}.");
        }

        if (exit.ExitCode == 0 || command.IgnoreError)
            return;
        var lastLine = StandardErrorTail is { Length: > 0 } tail ? $" Its last error line: {tail[(tail.LastIndexOf('\n') + 1)..]}" : "";
        throw new TaskFailureException(FailureReason.ExecutorExit, $"{which} exited with code {exit.ExitCode}.{lastLine}")
        {
            IsRetryable = attempt.Document.RetryExitCodes.Contains(exit.ExitCode),
        };
    }

    /// <summary>A later command, or an output that covers the file, has to find it in the container. After the last command a file that is itself an output is published from here.</summary>
    private async Task ShareRedirectsAsync(Dictionary<string, FileStream> files, bool isLast, CancellationToken cancellationToken)
    {
        foreach (var path in files.Keys)
        {
            if (isLast && !attempt.Document.Outputs.Any(output => OutputCollector.Covers(output, path)))
                continue;
            await layout.WriteFileAsync(path, Redirects.Find(path)!, cancellationToken).ConfigureAwait(false);
            if (!isLast)
                Redirects.Forget(path);
        }
    }
}
