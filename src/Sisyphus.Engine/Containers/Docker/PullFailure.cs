using Sisyphus.Engine.Containers.Registries;
using Sisyphus.Engine.Tasks;

namespace Sisyphus.Engine.Containers.Docker;

/// <param name="Sentence">The engine's, which hands on the registry's.</param>
internal sealed record PullFailure(FailureReason Reason, string Sentence, TimeSpan? RetryAfter, Exception? Cause)
{
    public static PullFailure Of(string sentence, RegistryLogin login, Exception? cause)
    {
        var reason = PullErrors.Classify(sentence);
        // Denied because credentials could not be had just now: that is no word on whether they would have been enough.
        if (reason == FailureReason.ImagePullDenied && login.MayPass)
            reason = FailureReason.ImagePullFailed;
        return new(reason, sentence, PullRetry.RetryAfter(sentence), cause);
    }
}
