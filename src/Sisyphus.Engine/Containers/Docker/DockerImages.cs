using System.Collections.Concurrent;
using System.Net;

using Docker.DotNet.Models;

using Sisyphus.Engine.Tasks;

namespace Sisyphus.Engine.Containers.Docker;

/// <summary>Images: look, pull, import.</summary>
internal sealed class DockerImages
{
    /// <summary>A pull that says nothing for so long is given up.</summary>
    public static readonly TimeSpan PullSilence = TimeSpan.FromMinutes(5);

    private readonly EngineCalls _calls;
    private readonly SharedPulls _pulls;
    private readonly ConcurrentDictionary<string, string> _references = new();

    public DockerImages(EngineCalls calls)
    {
        _calls = calls;
        _pulls = new(PullAsync);
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
        var messages = new Messages(null);
        await _calls.CallAsync($"import the image {repository}:{tag}", EngineCalls.Slow, (client, token) =>
            client.Images.CreateImageAsync(new() { Repo = repository, Tag = tag }, tar, null, messages, token), cancellationToken).ConfigureAwait(false);
        if (messages.Error is { } error)
            throw new TaskFailureException(FailureReason.EngineUnavailable, $"The container engine could not import the image {repository}:{tag}: {error}");
    }

    private async Task PullAsync(string reference, IProgress<PullProgress> progress, CancellationToken cancellationToken)
    {
        using var silence = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        silence.CancelAfter(PullSilence);
        var messages = new Messages(message =>
        {
            silence.CancelAfter(PullSilence);
            progress.Report(message);
        });
        try
        {
            await _calls.Client.Images.CreateImageAsync(new ImagesCreateParameters { FromImage = reference }, null, messages, silence.Token).ConfigureAwait(false);
        }
        catch (Exception) when (cancellationToken.IsCancellationRequested)
        {
            throw new OperationCanceledException(cancellationToken);
        }
        catch (OperationCanceledException late)
        {
            throw new TaskFailureException(FailureReason.ImagePullFailed, $"The image {reference} could not be pulled: nothing came for {PullSilence.TotalMinutes:0} minutes.", late);
        }
        catch (Exception error) when (_calls.Describe(error, $"pull {reference}") is { } failure)
        {
            throw failure.Answer() is { } answer ? PullErrors.Describe(reference, EngineErrors.Sentence(answer), answer) : failure;
        }
        if (messages.Error is { } sentence)
            throw PullErrors.Describe(reference, sentence, null);
    }

    private static string? Digest(ImageInspectResponse image, string reference)
    {
        var repository = ImageReference.Repository(reference);
        // The engine writes short names out or not ("alpine", "docker.io/library/alpine"): the last part always agrees.
        return image.RepoDigests?.FirstOrDefault(d => d.StartsWith(repository + "@", StringComparison.Ordinal))
            ?? image.RepoDigests?.FirstOrDefault(d => d.Split('@')[0].Split('/')[^1] == repository.Split('/')[^1])
            ?? image.RepoDigests?.FirstOrDefault();
    }

    // Not Progress<T>: that one reports later and on another thread.
    private sealed class Messages(Action<PullProgress>? report) : IProgress<JSONMessage>
    {
        private readonly PullMeter _meter = new();

        public string? Error { get; private set; }

        public void Report(JSONMessage value)
        {
            Error ??= value.Error?.Message;
            report?.Invoke(_meter.Add(value));
        }
    }
}
