using System.Net;

using Docker.DotNet;

using Sisyphus.Engine.Containers.Registries;
using Sisyphus.Engine.Google;
using Sisyphus.Engine.Tasks;

namespace Sisyphus.Engine.Containers.Docker;

/// <summary>An engine with the Docker Engine API: Docker itself, or Podman's service.</summary>
public sealed class DockerContainerEngine : IContainerEngine
{
    private readonly DockerClient _client;
    private readonly TlsAuthProvider? _tls;
    private readonly EngineCalls _calls;
    private readonly DockerImages _images;
    private readonly NetworkSandboxes _sandboxes;
    private readonly SemaphoreSlim _asking = new(1, 1);
    private EngineInfo? _info;
    // Until the engine has refused it once.
    private volatile bool _limitsDisk = true;

    /// <param name="logins">Null: those of this user.</param>
    /// <param name="pulls">Null: the defaults.</param>
    internal DockerContainerEngine(EngineEndpoint endpoint, RegistryLogins? logins = null, PullOptions? pulls = null)
    {
        var builder = new DockerClientBuilder().WithEndpoint(endpoint.Uri).WithTimeout(Timeout.InfiniteTimeSpan);
        if (endpoint.Tls is not null)
            builder = builder.WithAuthProvider(_tls = new(endpoint.Tls));
        // A proxy for the web (http_proxy) is none for a local socket, but the library would ask it.
        _client = endpoint.Uri.Scheme switch
        {
            "unix" => builder.WithTransportOptions(new global::Docker.DotNet.Unix.UnixSocketTransportOptions { ConfigureHandler = handler => handler.UseProxy = false }).Build(),
            _ => builder.Build(),
        };
        _calls = new(_client, endpoint);
        _images = new(_calls, new(_calls, logins ?? LoginsOfThisUser(), (pulls ?? new()).Validate(), TimeProvider.System));
        _sandboxes = new(_calls, _images);
    }

    public string Endpoint => _calls.Endpoint.Display;

    // A loopback address may be a tunnel to another machine, but far more often it is this one.
    public bool SeesLocalFiles => _calls.Endpoint.Uri.Scheme is "unix" or "npipe" || _calls.Endpoint.Uri.IsLoopback;

    /// <summary>Finds the engine as the docker CLI does; asks it nothing yet.</summary>
    /// <param name="endpoint">A URL as in <c>DOCKER_HOST</c>; null looks it up.</param>
    /// <exception cref="TaskFailureException"><see cref="FailureReason.EngineUnavailable"/>: the address, the context or its certificates can't be used.</exception>
    public static DockerContainerEngine Connect(string? endpoint = null) =>
        new(new EngineEndpointResolver(EngineSurroundings.OfThisProcess()).Resolve(endpoint));

    public async Task<EngineInfo> GetInfoAsync(CancellationToken cancellationToken)
    {
        var info = await _calls.CallAsync(EngineCalls.Greeting, EngineCalls.Quick, (client, token) => client.System.GetSystemInfoAsync(token), cancellationToken).ConfigureAwait(false);
        if (string.IsNullOrEmpty(info.OSType))
            throw new TaskFailureException(FailureReason.EngineUnavailable, $"Something answers at {_calls.Endpoint}, but it is not a container engine with the Docker API. Set DOCKER_HOST to where the engine listens.");
        if (info.OSType != "linux")
            throw new TaskFailureException(FailureReason.EngineUnavailable, $"The container engine at {_calls.Endpoint} runs {info.OSType} containers; tasks need Linux containers. Docker Desktop: choose 'Switch to Linux containers'.");
        return _info = new(info.Name, info.ServerVersion, info.OperatingSystem, info.Architecture, (int)info.NCPU, info.MemTotal);
    }

    public Task<ImageInfo?> FindImageAsync(string reference, CancellationToken cancellationToken) => _images.FindAsync(reference, cancellationToken);

    public Task<ImageInfo> EnsureImageAsync(string reference, PullPolicy policy, IProgress<PullProgress>? progress, CancellationToken cancellationToken) =>
        _images.EnsureAsync(reference, policy, progress, cancellationToken);

    public async Task<INetworkSandbox> CreateSandboxAsync(IReadOnlyDictionary<string, string> labels, bool allowMetadata, CancellationToken cancellationToken)
    {
        var info = await KnownInfoAsync(cancellationToken).ConfigureAwait(false);
        return await _sandboxes.CreateAsync(WaitProgram.For(info.Architecture), labels, allowMetadata, cancellationToken).ConfigureAwait(false);
    }

    public async Task<IContainer> CreateContainerAsync(ContainerSpec spec, CancellationToken cancellationToken)
    {
        var info = await KnownInfoAsync(cancellationToken).ConfigureAwait(false);
        var id = await CreateAsync(spec, info, cancellationToken).ConfigureAwait(false);
        var container = new DockerContainer(id, spec, _calls, _images.NameOf(spec.ImageId));
        try
        {
            if (spec.Command is null)
                await container.StartWaitingAsync(WaitProgram.For(info.Architecture), cancellationToken).ConfigureAwait(false);
            return container;
        }
        catch
        {
            await container.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    public Task<int> SweepAsync(IReadOnlyDictionary<string, string> labels, CancellationToken cancellationToken) =>
        ContainerRemoval.SweepAsync(_calls, labels, cancellationToken);

    public ValueTask DisposeAsync()
    {
        _client.Dispose();
        _tls?.Dispose();
        _sandboxes.Dispose();
        _asking.Dispose();
        return ValueTask.CompletedTask;
    }

    private static RegistryLogins LoginsOfThisUser()
    {
        var surroundings = EngineSurroundings.OfThisProcess();
        return new(new(surroundings.Variable, surroundings.ConfigDirectory, surroundings.Windows), GoogleCredentials.Default);
    }

    private async Task<EngineInfo> KnownInfoAsync(CancellationToken cancellationToken)
    {
        if (_info is { } known)
            return known;
        await _asking.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            return _info ?? await GetInfoAsync(cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            _asking.Release();
        }
    }

    private async Task<string> CreateAsync(ContainerSpec spec, EngineInfo info, CancellationToken cancellationToken)
    {
        while (true)
        {
            var limitDisk = _limitsDisk && spec.Resources.Disk is not null;
            try
            {
                return await ContainerCreation.CreateAsync(_calls, ContainerParameters.OfTask(spec, info.Cpus, limitDisk), "create the task's container", cancellationToken).ConfigureAwait(false);
            }
            catch (TaskFailureException refused) when (refused.Answer() is { } answer)
            {
                var sentence = EngineErrors.Sentence(answer);
                if (limitDisk && (sentence.Contains("storage-opt", StringComparison.OrdinalIgnoreCase) || sentence.Contains("storage driver", StringComparison.OrdinalIgnoreCase)))
                    _limitsDisk = false;
                else if (answer.StatusCode == HttpStatusCode.NotFound && sentence.Contains("image", StringComparison.OrdinalIgnoreCase))
                    throw new TaskFailureException(FailureReason.ImageNotFound, $"The engine has no image {_images.NameOf(spec.ImageId)} any more: somebody removed it.", answer);
                else
                    throw DockerContainer.StartFailure(refused, spec.Command ?? DockerContainer.Waiting, spec, _images.NameOf(spec.ImageId));
            }
        }
    }
}
