using Docker.DotNet.Models;

using Sisyphus.Engine.Containers.Registries;
using Sisyphus.Engine.Tasks;

namespace Sisyphus.Engine.Containers.Docker;

/// <summary>Pulls one image with the credentials for its registry, again and again while it may help.</summary>
internal sealed class ImagePuller(EngineCalls calls, RegistryLogins logins, PullOptions options, TimeProvider time)
{
    /// <param name="reference">With tag or digest.</param>
    public async Task PullAsync(string reference, IProgress<PullProgress> progress, CancellationToken cancellationToken)
    {
        var renewed = false;
        var firstFailure = 0L;
        for (var failures = 1; ; failures++)
        {
            // Anew at each try: tokens expire, and so may what made a helper fail.
            var login = await logins.FindAsync(RegistryHost.Of(reference), cancellationToken).ConfigureAwait(false);
            if (login.Failed)
                progress.Report(new($"asking without credentials: {login.Source}", 0, 0));
            if (await TryAsync(reference, login, progress, cancellationToken).ConfigureAwait(false) is not { } failure)
                return;
            if (failure.Reason == FailureReason.ImagePullDenied && !renewed && logins.Reject(login))
            {
                renewed = true;
                continue;
            }
            var now = time.GetTimestamp();
            if (firstFailure == 0)
                firstFailure = now;
            var pause = PullRetry.Pause(options, failures, failure.RetryAfter, Random.Shared.NextDouble());
            if (!PullRetry.IsWorthwhile(failure.Reason, failure.Sentence) || time.GetElapsedTime(firstFailure, now) + pause > options.Budget)
                throw PullErrors.Describe(reference, failure, login, failures);
            progress.Report(new($"trying again in {pause.TotalSeconds:0.#} s: {failure.Sentence}", 0, 0));
            await Task.Delay(pause, time, cancellationToken).ConfigureAwait(false);
        }
    }

    // Null: it is there.
    private async Task<PullFailure?> TryAsync(string reference, RegistryLogin login, IProgress<PullProgress> progress, CancellationToken cancellationToken)
    {
        using var silence = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        silence.CancelAfter(options.Silence);
        var messages = new EngineMessages(message =>
        {
            silence.CancelAfter(options.Silence);
            progress.Report(message);
        });
        var running = calls.Client.Images.CreateImageAsync(new ImagesCreateParameters { FromImage = reference }, null, Header(RegistryHost.Of(reference), login.Credentials), messages, silence.Token);
        try
        {
            // The library's connect and TLS handshake do not look at the token.
            await running.WaitAsync(silence.Token).ConfigureAwait(false);
            return messages.Error is { } sentence ? PullFailure.Of(sentence, login, null) : null;
        }
        catch (Exception) when (cancellationToken.IsCancellationRequested)
        {
            EngineCalls.Abandon(running);
            throw new OperationCanceledException(cancellationToken);
        }
        catch (OperationCanceledException late)
        {
            EngineCalls.Abandon(running);
            return PullFailure.Of($"nothing came for {options.Silence.TotalMinutes:0.#} minutes", login, late);
        }
        catch (Exception error) when (calls.Describe(error, $"pull {reference}") is { } failure)
        {
            return failure.Answer() is { } answer ? PullFailure.Of(EngineErrors.Sentence(answer), login, answer) : throw failure;
        }
    }

    // Goes to the engine with the pull of this image only, and from there to the image's registry.
    private static AuthConfig? Header(string host, RegistryCredentials? credentials) => credentials is null ? null : new()
    {
        ServerAddress = RegistryHost.Key(host),
        Username = credentials.Username,
        Password = credentials.Password,
        IdentityToken = credentials.IdentityToken,
        RegistryToken = credentials.RegistryToken,
    };
}
