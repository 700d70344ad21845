using Docker.DotNet.Models;

using Sisyphus.Engine.Tasks;

namespace Sisyphus.Engine.Containers.Docker;

internal static class ContainerCreation
{
    /// <summary>Creates a container under a name of its own, so that one whose id was lost on the way back is found and removed.</summary>
    public static async Task<string> CreateAsync(EngineCalls calls, CreateContainerParameters parameters, string action, CancellationToken cancellationToken)
    {
        parameters.Name = "sisyphus-" + Guid.CreateVersion7().ToString("n");
        try
        {
            var created = await calls.CallAsync(action, EngineCalls.Slow, (client, token) => client.Containers.CreateContainerAsync(parameters, token), cancellationToken).ConfigureAwait(false);
            return created.ID;
        }
        catch (Exception) when (cancellationToken.IsCancellationRequested)
        {
            // The engine goes on with what it has begun.
            await ContainerRemoval.RemoveAsync(calls, parameters.Name, created: false).ConfigureAwait(false);
            throw;
        }
        catch (TaskFailureException failure) when (failure.Answer() is null)
        {
            // No answer is not no container. Where that fails too, the next sweep finds it by its labels.
            await ContainerRemoval.RemoveAsync(calls, parameters.Name, created: false).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            throw;
        }
    }
}
