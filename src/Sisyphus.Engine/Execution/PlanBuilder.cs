using System.Globalization;

using Sisyphus.Engine.Containers;
using Sisyphus.Engine.Storage;
using Sisyphus.Engine.Tasks;

namespace Sisyphus.Engine.Execution;

/// <summary>Finds out what running a document would do: looks, and changes nothing.</summary>
internal sealed class PlanBuilder(IContainerEngine engine, StoreAccess stores, TaskRunnerOptions options)
{
    /// <exception cref="TaskFailureException">The engine does not answer, or the policy denies the document.</exception>
    public async Task<TaskPlan> BuildAsync(TaskDocument document, CancellationToken cancellationToken)
    {
        Admission.Check(document, options.Policy);
        List<PlanStep> steps = [await PullAsync(document.Image, cancellationToken).ConfigureAwait(false)];
        foreach (var input in document.Inputs)
        {
            steps.Add(new PlanStep("stage", $"{input.Remote} ({await SizeAsync(input, cancellationToken).ConfigureAwait(false)}) from {stores.Resolve(input.Remote).Store.Name}"));
            steps.Add(new PlanStep("mount", $"{input.Remote} at {input.Path}{(input.IsDirectory ? "/" : "")}, {(input.Writable ? "a private copy" : "read-only")}"));
        }

        steps.AddRange(document.Commands.Select(command => new PlanStep("run", Describe(command))));
        steps.AddRange(document.Outputs.Select(output =>
            new PlanStep("publish", $"{output.Path} to {output.Remote} in {stores.Resolve(output.Remote).Store.Name}{(output.Optional ? ", if it is there" : "")}")));
        steps.AddRange(Limits(document).Select(limit => new PlanStep("limit", limit)));
        return new TaskPlan(document.Id ?? "(given when it runs)", document.Image, steps);
    }

    private async Task<PlanStep> PullAsync(string image, CancellationToken cancellationToken)
    {
        var present = await engine.FindImageAsync(image, cancellationToken).ConfigureAwait(false);
        return new PlanStep("pull", (options.PullPolicy, present) switch
        {
            (PullPolicy.Always, _) => $"{image}, always",
            (_, not null) => $"{image} is present ({present.Digest ?? present.Id}); nothing to pull",
            (PullPolicy.Never, null) => $"{image} is not present and must not be pulled: the task would fail",
            _ => $"{image} from its registry",
        });
    }

    private async Task<string> SizeAsync(TaskInput input, CancellationToken cancellationToken)
    {
        var location = stores.Resolve(input.Remote);
        if (!input.IsDirectory)
        {
            var info = await location.Store.StatAsync(location.Bucket, location.Key, cancellationToken).ConfigureAwait(false);
            return info is null ? "missing: the task would fail" : info.Size == ObjectInfo.UnknownSize ? "of unknown size" : SizeText.Format(info.Size);
        }

        var (count, bytes) = (0, 0L);
        await foreach (var info in location.Store.ListAsync(location.Bucket, location.Key, cancellationToken).ConfigureAwait(false))
            (count, bytes) = (count + 1, bytes + info.Size);
        return count == 0 ? "empty: the task would fail" : string.Create(CultureInfo.InvariantCulture, $"{count} objects, {SizeText.Format(bytes)}");
    }

    private static string Describe(TaskCommand command) =>
        command +
        (command.StandardInput is { } stdin ? $" < {stdin}" : "") +
        (command.StandardOutput is { } stdout ? $" > {stdout}" : "") +
        (command.StandardError is { } stderr ? $" 2> {stderr}" : "");

    private static IEnumerable<string> Limits(TaskDocument document)
    {
        var limits = document.Resources;
        yield return $"timeout {DurationText.Format(document.Timeout)}";
        if (limits.Cpus is { } cpus)
            yield return string.Create(CultureInfo.InvariantCulture, $"cpus {cpus}");
        if (limits.Memory is { } memory)
            yield return $"memory {SizeText.Format(memory)}";
        if (limits.Disk is { } disk)
            yield return $"disk {SizeText.Format(disk)}";
        if (limits.Gpus is { } gpus)
            yield return $"gpus {gpus}";
        if (limits.Pids is { } pids)
            yield return $"pids {pids}";
        if (limits.SharedMemory is { } shm)
            yield return $"shm {SizeText.Format(shm)}";
        yield return $"network {document.Network.ToString().ToLowerInvariant()}";
        yield return $"user {document.User ?? NodeUser.Current ?? "of the image"}";
    }
}
