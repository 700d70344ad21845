using System.Collections.Concurrent;
using System.Net;

using Docker.DotNet.Models;

using Sisyphus.Engine.Tasks;

namespace Sisyphus.Engine.Containers.Docker;

/// <summary>Images: look, pull, import.</summary>
internal sealed class DockerImages
{
    private readonly EngineCalls _calls;
    private readonly SharedPulls _pulls;
    private readonly ConcurrentDictionary<string, string> _references = new();

    public DockerImages(EngineCalls calls, ImagePuller puller)
    {
        _calls = calls;
        _pulls = new(puller.PullAsync);
    }

    /// <summary>The name by which the image was asked for, for messages.</summary>
    public string NameOf(string imageId) => _references.GetValueOrDefault(imageId, imageId);

    public async Task<ImageInfo?> FindAsync(string reference, CancellationToken cancellationToken)
    {
        var name = ImageReference.WithTag(reference);
        try
        {
            var found = await _calls.CallAsync($"look for the image {reference}", EngineCalls.Quick, (client, token) => client.Images.InspectImageAsync(name, token), cancellationToken).ConfigureAwait(false);
            if (!ImageReference.IsId(reference))
                _references[found.ID] = reference;
            return new(reference, found.ID, Digest(found, reference), found.Architecture);
        }
        catch (TaskFailureException absent) when (absent.IsNotFound())
        {
            return null;
        }
        catch (TaskFailureException refused) when (refused.Answer() is { StatusCode: HttpStatusCode.BadRequest } answer)
        {
            throw PullErrors.Describe(reference, EngineErrors.Sentence(answer), answer);
        }
    }

    public async Task<ImageInfo> EnsureAsync(string reference, PullPolicy policy, IProgress<PullProgress>? progress, CancellationToken cancellationToken)
    {
        var local = ImageReference.IsId(reference);
        if ((policy != PullPolicy.Always || local) && await FindAsync(reference, cancellationToken).ConfigureAwait(false) is { } present)
            return present;
        if (local)
            throw new TaskFailureException(FailureReason.ImageNotFound, $"The engine has no image {reference}, and an id can't be pulled: name the image by repository and tag or digest.");
        if (policy == PullPolicy.Never)
            throw new TaskFailureException(FailureReason.ImageNotFound, $"The engine has no image {reference}, and the pull policy is Never. Pull it by hand or choose the policy IfNotPresent.");
        await _pulls.PullAsync(ImageReference.WithTag(reference), progress, cancellationToken).ConfigureAwait(false);
        return await FindAsync(reference, cancellationToken).ConfigureAwait(false)
            ?? throw new TaskFailureException(FailureReason.ImagePullFailed, $"The image {reference} was pulled, but the engine does not have it: the connection broke, or somebody removed it at once.");
    }

    /// <summary>Makes an image of a tar archive.</summary>
    public async Task ImportAsync(Stream tar, string repository, string tag, CancellationToken cancellationToken)
    {
        var messages = new EngineMessages(null);
        await _calls.CallAsync($"import the image {repository}:{tag}", EngineCalls.Slow, (client, token) =>
            client.Images.CreateImageAsync(new() { Repo = repository, Tag = tag }, tar, null, messages, token), cancellationToken).ConfigureAwait(false);
        if (messages.Error is { } error)
            throw new TaskFailureException(FailureReason.EngineUnavailable, $"The container engine could not import the image {repository}:{tag}: {error}");
    }

    private static string? Digest(ImageInspectResponse image, string reference)
    {
        // An image can be known by several digests of one repository: the one that was asked for is the one to record.
        if (reference.IndexOf('@', StringComparison.Ordinal) is var at and >= 0 && image.RepoDigests?.FirstOrDefault(d => d.EndsWith(reference[at..], StringComparison.Ordinal)) is { } asked)
            return asked;
        var repository = ImageReference.Repository(reference);
        // The engine writes short names out or not ("alpine", "docker.io/library/alpine"): the last part always agrees.
        return image.RepoDigests?.FirstOrDefault(d => d.StartsWith(repository + "@", StringComparison.Ordinal))
            ?? image.RepoDigests?.FirstOrDefault(d => d.Split('@')[0].Split('/')[^1] == repository.Split('/')[^1])
            ?? image.RepoDigests?.FirstOrDefault();
    }
}
