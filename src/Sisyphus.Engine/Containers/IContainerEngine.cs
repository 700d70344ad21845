using Sisyphus.Engine.Tasks;

namespace Sisyphus.Engine.Containers;

/// <summary>A container engine, as far as an attempt needs one.</summary>
/// <remarks>Failures are <see cref="TaskFailureException"/>s: <see cref="FailureReason.EngineUnavailable"/> when the engine does not answer or refuses us
/// (the message says how it was looked for and what to do), the image reasons from <see cref="EnsureImageAsync"/>, and otherwise what the method says.</remarks>
public interface IContainerEngine : IAsyncDisposable
{
    /// <summary>Where the engine was found, as a URL, without secrets.</summary>
    string Endpoint { get; }

    /// <summary>Whether the engine runs on this machine, so that <see cref="ContainerSpec.Mounts"/> can name files of it.</summary>
    bool SeesLocalFiles { get; }

    /// <summary>Connects and asks who is there.</summary>
    Task<EngineInfo> GetInfoAsync(CancellationToken cancellationToken);

    /// <summary>The image if it is present, else null; never pulls.</summary>
    Task<ImageInfo?> FindImageAsync(string reference, CancellationToken cancellationToken);

    /// <summary>Makes the image present as the policy says.</summary>
    Task<ImageInfo> EnsureImageAsync(string reference, PullPolicy policy, IProgress<PullProgress>? progress, CancellationToken cancellationToken);

    /// <summary>Starts a container that only waits and whose network namespace tasks join, with outbound access but (unless <paramref name="allowMetadata"/>) no route to the cloud's metadata address.</summary>
    Task<INetworkSandbox> CreateSandboxAsync(IReadOnlyDictionary<string, string> labels, bool allowMetadata, CancellationToken cancellationToken);

    /// <summary>Creates the container; nothing runs yet.</summary>
    Task<IContainer> CreateContainerAsync(ContainerSpec spec, CancellationToken cancellationToken);

    /// <summary>Removes every container, running or not, that carries all of the labels.</summary>
    /// <returns>How many there were.</returns>
    Task<int> SweepAsync(IReadOnlyDictionary<string, string> labels, CancellationToken cancellationToken);
}
