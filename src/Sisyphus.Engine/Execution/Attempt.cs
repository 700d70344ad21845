using System.Text.Json;

using Sisyphus.Engine.Containers;
using Sisyphus.Engine.Execution.Publishing;
using Sisyphus.Engine.Storage.Cache;
using Sisyphus.Engine.Tasks;

namespace Sisyphus.Engine.Execution;

/// <summary>One try at a task: stage in, run, collect, publish. Whatever happens, its container is gone afterwards.</summary>
internal sealed class Attempt(AttemptContext context, IContainerEngine engine, StoreAccess stores, InputCache cache, OutputPublisher publisher, Slot slot, Leftovers leftovers, IReadOnlyDictionary<string, string> labels)
{
    private readonly DateTimeOffset _started = context.Time.GetUtcNow();
    private ImageInfo? _image;
    private CommandRun? _run;
    private IReadOnlyList<InputRecord> _inputs = [];
    private long? _peakMemory;

    /// <summary>Publishing has come so far that an error says nothing of whether the outputs are decided, or a decision was seen that is not finished.</summary>
    public bool MayBePublished { get; private set; }

    /// <summary>Runs to the publication.</summary>
    /// <exception cref="TaskFailureException">Why not; <see cref="PublishFailureAsync"/> is still to be called.</exception>
    public async Task<TaskResult> RunAsync(CancellationToken cancellationToken)
    {
        Admission.Check(context.Document, context.Options.Policy);
        await context.Events.StateAsync(TaskState.Initializing, context.Number, cancellationToken).ConfigureAwait(false);
        context.Log.Document(context.Document);

        var outputs = await RunContainerAsync(cancellationToken).ConfigureAwait(false);
        context.Log.Note(FormattableString.Invariant($"complete after {(context.Time.GetUtcNow() - _started).TotalSeconds:0.000} s"));
        if (LogOutputs.Any())
            outputs = [.. outputs, .. LogFiles()];
        if (outputs.Count == 0)
            return ToResult(Record([], null), [], recordPath: null);

        var publication = await PublishAsync(outputs, cancellationToken).ConfigureAwait(false);
        var record = AttemptRecord.FromJson(publication.Record) ?? Record(publication.Outputs, null);
        if (publication.AttemptId != context.AttemptId)
            context.Events.Warn($"Another attempt ({publication.AttemptId}) had published the task already; this one's outputs were thrown away.");
        return ToResult(record, publication.Outputs, publication.DecisionPath.ToString());
    }

    /// <summary>Tries again with the outputs as they are: what took hours to compute must not be computed again because a store had a bad minute.</summary>
    private async Task<Publication> PublishAsync(IReadOnlyList<OutputFile> outputs, CancellationToken cancellationToken)
    {
        var request = new PublicationRequest(context.TaskId, context.AttemptId, Home, outputs)
        {
            Record = Decide,
            Direct = context.Document.Publish == TaskPublishing.Direct,
            BeforeReplacing = context.BeforeStart,
            Kept = new PublicationState(),
            Finishing = context.Finishing,
        };
        var patience = new PublishPatience(context.Options.PublishPatience, ran: context.Time.GetUtcNow() - _started, context.Time);
        try
        {
            for (var tries = 1; ; tries++)
            {
                try
                {
                    return await publisher.PublishAsync(request, context.Events.Publishing(), Until()).ConfigureAwait(false);
                }
                catch (TaskFailureException failure) when (OutputPublisher.MayPass(failure))
                {
                    // What may be decided is worth all the patience there is: it must not be told as a failure.
                    var left = patience.Left(isDenied: !failure.IsRetryable && !MayBePublished, request.Kept.Arrived);
                    if (left <= TimeSpan.Zero)
                        throw new TaskFailureException(failure.Reason, FormattableString.Invariant($"{failure.Message} (Publishing was tried {tries} times, the last {patience.Failing.TotalMinutes:0.#} minutes in vain.)"), failure) { IsRetryable = false };
                    // A service that wants to be left alone for longer than that is asked once more at the end all the same.
                    var wanted = RetryBackoff.After(tries, Random.Shared.NextDouble(), failure.RetryAfter);
                    var pause = wanted < left ? wanted : left;
                    context.Events.Warn(FormattableString.Invariant($"The outputs could not be published and are kept; next try in {pause.TotalSeconds:0.0} s. {failure.Message}"));
                    await Task.Delay(pause, context.Time, Until()).ConfigureAwait(false);
                }
            }
        }
        catch when (!MayBePublished)
        {
            // Also when it is canceled between two tries, with a part staged.
            await publisher.AbandonAsync(context.TaskId, context.AttemptId, outputs).ConfigureAwait(false);
            throw;
        }

        // What may be decided is not thrown away for a cancel.
        CancellationToken Until() => MayBePublished ? context.Finishing : cancellationToken;
    }

    private JsonElement Decide(IReadOnlyList<PublishedObject> published, bool exclusive)
    {
        MayBePublished = true;
        if (!exclusive)
            context.Events.Warn($"The store of {Home} does not let only one attempt decide (it ignores conditions): if another attempt of this task runs now, both may publish.");
        return (Record(published, null) with { Exclusive = exclusive ? null : false }).ToJson();
    }

    /// <summary>Leaves the record and the log of a failure in the store, where the document names a place for them.</summary>
    /// <returns>The result of the task if this was its last attempt.</returns>
    public async Task<TaskResult> PublishFailureAsync(TaskFailureException failure, CancellationToken cancellationToken)
    {
        context.Log.Note(FormattableString.Invariant($"failed after {(context.Time.GetUtcNow() - _started).TotalSeconds:0.000} s: {failure.Reason.ToWord()}: {failure.Message}"));
        var record = Record([], failure);
        if (context.Document.Outputs.Count == 0 || failure.Reason is FailureReason.PolicyDenied or FailureReason.InvalidDocument)
            return ToResult(record, [], recordPath: null);
        try
        {
            var left = await publisher.PublishFailureAsync(
                context.TaskId, context.AttemptId, Home, LogFiles(), logs => (record with { Outputs = logs }).ToJson(), cancellationToken).ConfigureAwait(false);
            MayBePublished |= left.IsDecided;
            if (left.IsDecided && await publisher.FinishAsync(context.TaskId, Home, cancellationToken).ConfigureAwait(false) is { } decided)
                return ToResult(AttemptRecord.FromJson(decided.Record) ?? Record(decided.Outputs, null), decided.Outputs, decided.DecisionPath.ToString());
            return ToResult(record, left.Logs, left.Record?.ToString());
        }
        catch (TaskFailureException unpublished)
        {
            context.Events.Warn($"The record of the failed attempt could not be published: {unpublished.Message}");
            return ToResult(record, [], recordPath: null);
        }
    }

    /// <summary>The bucket of the first output holds the decision and the records.</summary>
    private RemotePath Home => context.Document.Outputs[0].Remote;

    private async Task<IReadOnlyList<OutputFile>> RunContainerAsync(CancellationToken cancellationToken)
    {
        using var first = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var pull = engine.EnsureImageAsync(context.Document.Image, context.Options.PullPolicy, context.Events.Pull(context.Document.Image), first.Token);
        var stage = new InputStage(context, stores, cache, engine.SeesLocalFiles).RunAsync(first.Token);
        var join = slot.JoinAsync(context.Document.Network, first.Token);
        var places = new OutputPlaces(stores).CheckAsync(context.TaskId, context.Document, first.Token);
        try
        {
            await Together.WhenAllAsync(first, pull, stage, join, places).ConfigureAwait(false);
            _image = await pull.ConfigureAwait(false);
            context.Log.Note($"image {_image.Digest ?? _image.Id}");
            var staged = await stage.ConfigureAwait(false);
            var network = await join.ConfigureAwait(false);
            _inputs = staged.Records;
            var container = await engine.CreateContainerAsync(Spec(_image, staged, network?.Sandbox), cancellationToken).ConfigureAwait(false);
            try
            {
                return await RunInContainerAsync(container, staged, cancellationToken).ConfigureAwait(false);
            }
            finally
            {
                await RemoveAsync(container, () => leftovers.Add(labels)).ConfigureAwait(false);
            }
        }
        finally
        {
            if (stage.IsCompletedSuccessfully)
                (await stage.ConfigureAwait(false)).Dispose();
            if (join.IsCompletedSuccessfully && await join.ConfigureAwait(false) is { } network)
                await RemoveAsync(network, leftovers.AddUnnamed).ConfigureAwait(false);
        }
    }

    /// <summary>A container that won't go is no reason to throw away what the task has computed, nor to hide why it failed.</summary>
    private async Task RemoveAsync(IAsyncDisposable container, Action remember)
    {
        try
        {
            await container.DisposeAsync().ConfigureAwait(false);
        }
        catch (TaskFailureException error)
        {
            remember();
            context.Events.Warn($"A container could not be removed; that is tried again later. {error.Message}");
        }
    }

    private async Task<IReadOnlyList<OutputFile>> RunInContainerAsync(IContainer container, InputStage.Staged staged, CancellationToken cancellationToken)
    {
        var user = await ContainerUser.ResolveAsync(container, User, cancellationToken).ConfigureAwait(false);
        var layout = new ContainerLayout(container, user);
        await layout.PrepareAsync(context.Document, staged, cancellationToken).ConfigureAwait(false);

        await context.BeforeStart(cancellationToken).ConfigureAwait(false);
        await context.Events.StateAsync(TaskState.Running, context.Number, cancellationToken).ConfigureAwait(false);
        _run = new CommandRun(context, container, layout, staged);
        try
        {
            await _run.RunAsync(cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            _peakMemory = container.PeakMemory;
        }

        // Nothing may write any more while the outputs are read.
        await container.StopAsync(TimeSpan.Zero, cancellationToken).ConfigureAwait(false);
        return await new OutputCollector(context, container, _run).CollectAsync(cancellationToken).ConfigureAwait(false);
    }

    private string? User => context.Document.User ?? NodeUser.Current;

    private ContainerSpec Spec(ImageInfo image, InputStage.Staged staged, INetworkSandbox? network) => new()
    {
        ImageId = image.Id,
        Command = context.Document.Commands is [var only] ? only : null,
        Environment = context.Document.Environment,
        WorkingDirectory = context.Document.WorkingDirectory,
        User = User,
        Network = network,
        Resources = context.Document.Resources,
        Mounts = staged.Mounts,
        Labels = labels,
    };

    private IEnumerable<TaskOutput> LogOutputs => context.Document.Outputs.Where(output => output.Kind == TaskOutputKind.Log);

    private IReadOnlyList<OutputFile> LogFiles()
    {
        context.Log.Flush();
        return [.. LogOutputs.Select(output => new OutputFile(context.Log.Path!, output.Remote))];
    }

    private AttemptRecord Record(IReadOnlyList<PublishedObject> outputs, TaskFailureException? failure) => new()
    {
        Task = context.TaskId,
        Attempt = context.AttemptId,
        Number = context.Number,
        Name = context.Document.Name,
        Workflow = context.Document.Workflow,
        Tags = context.Document.Tags,
        State = failure?.Reason.ToState() ?? TaskState.Complete,
        Reason = failure?.Reason,
        Message = failure?.Message,
        Node = context.Options.NodeName,
        Software = Software.Name,
        Image = context.Document.Image,
        ImageDigest = _image?.Digest ?? _image?.Id,
        Arguments = [.. context.Document.Commands.Select(command => command.Arguments)],
        EnvironmentNames = [.. context.Document.Environment.Keys],
        Commands = _run?.Results ?? [],
        Inputs = _inputs,
        Outputs = outputs,
        Started = _started,
        Finished = context.Time.GetUtcNow(),
        PeakMemory = _peakMemory,
    };

    private TaskResult ToResult(AttemptRecord record, IReadOnlyList<PublishedObject> outputs, string? recordPath) =>
        TaskResults.From(record, outputs, recordPath) with
        {
            Attempts = context.Number,
            StandardOutput = _run?.StandardOutputTail ?? "",
            StandardError = _run?.StandardErrorTail ?? "",
        };
}
