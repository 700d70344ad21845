using System.Net;

using Docker.DotNet.Models;

using Sisyphus.Engine.Tasks;

namespace Sisyphus.Engine.Containers.Docker;

internal static class ContainerRemoval
{
    private static readonly TimeSpan LookAgain = TimeSpan.FromMilliseconds(100);
    // How long the engine may take to show a container whose creation we have given up.
    private static readonly TimeSpan Late = TimeSpan.FromSeconds(2);

    /// <summary>Removes a container with its anonymous volumes, running or not. One that is gone, or is being removed by somebody else, is fine: it returns when it is gone.</summary>
    /// <param name="created">False for one that may only be about to exist.</param>
    public static async Task RemoveAsync(EngineCalls calls, string container, bool created = true)
    {
        using var limit = new CancellationTokenSource(EngineCalls.Removal);
        var giveUp = Environment.TickCount64 + (long)Late.TotalMilliseconds;
        while (true)
        {
            try
            {
                await calls.CallAsync("remove a container", EngineCalls.Removal, (client, token) =>
                    client.Containers.RemoveContainerAsync(container, new ContainerRemoveParameters { Force = true, RemoveVolumes = true }, token), limit.Token).ConfigureAwait(false);
                return;
            }
            catch (TaskFailureException failure) when (failure.IsNotFound())
            {
                if (created || Environment.TickCount64 > giveUp)
                    return;
            }
            // "removal of container … is already in progress"
            catch (TaskFailureException failure) when (failure.Answer() is { StatusCode: HttpStatusCode.Conflict } && !limit.IsCancellationRequested)
            {
            }
            catch (OperationCanceledException late)
            {
                throw new TaskFailureException(FailureReason.EngineUnavailable, $"The container engine at {calls.Endpoint} did not remove the container {container} within {EngineCalls.Removal.TotalSeconds:0} s.", late);
            }
            await Task.Delay(LookAgain, CancellationToken.None).ConfigureAwait(false);
        }
    }

    public static async Task<int> SweepAsync(EngineCalls calls, IReadOnlyDictionary<string, string> labels, CancellationToken cancellationToken)
    {
        if (labels.Count == 0)
            throw new ArgumentException("Without a label every container of the engine would be removed.", nameof(labels));
        var filter = labels.ToDictionary(l => $"{l.Key}={l.Value}", _ => true);
        var found = await calls.CallAsync("list containers", EngineCalls.Quick, (client, token) => client.Containers.ListContainersAsync(
            new ContainersListParameters { All = true, Filters = new Dictionary<string, IDictionary<string, bool>> { ["label"] = filter } }, token), cancellationToken).ConfigureAwait(false);
        foreach (var container in found)
        {
            cancellationToken.ThrowIfCancellationRequested();
            await RemoveAsync(calls, container.ID).ConfigureAwait(false);
        }
        return found.Count;
    }
}
