using System.Text.RegularExpressions;
using Sisyphus.Engine.Containers.Registries;
using Sisyphus.Engine.Tasks;

namespace Sisyphus.Engine.Containers.Docker;

/// <summary>Tells the reasons for a failed pull apart. The engine hands on the registry's words; there is no code in its stream.</summary>
internal static partial class PullErrors
{
    /// <param name="tries">How many there were.</param>
    public static TaskFailureException Describe(string reference, PullFailure failure, RegistryLogin login, int tries)
    {
        var asked = login.Credentials is null ? $"Asked without credentials: {login.Source}." : $"Asked with {login.Source}.";
        var host = RegistryHost.Of(reference);
        var sentence = failure.Sentence.TrimEnd('.');
        return new(failure.Reason, failure.Reason switch
        {
            FailureReason.ImageNotFound => $"The image {reference} does not exist in its registry (or not for this platform): {sentence}. {asked}",
            FailureReason.ImagePullDenied when login.Credentials is null && !login.Failed =>
                $"The registry does not let us pull {reference}: {sentence}. {asked} The image may not exist, or it needs a login: docker login{(host == RegistryHost.DockerHub ? "" : " " + host)}",
            FailureReason.ImagePullDenied => $"The registry does not let us pull {reference}: {sentence}. {asked}",
            FailureReason.ImagePullFailed => $"The image {reference} could not be pulled{(tries > 1 ? $" in {tries} tries" : "")}: {sentence}. {asked}",
            _ => Describe(reference, sentence, failure.Reason),
        }, failure.Cause)
        {
            RetryAfter = failure.RetryAfter,
        };
    }

    /// <summary>For a refusal that no registry had a part in.</summary>
    public static TaskFailureException Describe(string reference, string sentence, Exception? cause)
    {
        var reason = Classify(sentence);
        return new(reason, Describe(reference, sentence, reason), cause);
    }

    private static string Describe(string reference, string sentence, FailureReason reason) => reason switch
    {
        FailureReason.InvalidDocument => $"\"{reference}\" is not an image reference: {sentence}",
        FailureReason.DiskFull => $"The container engine's disk is full: could not pull {reference}: {sentence}",
        _ => $"The image {reference} could not be pulled: {sentence}",
    };

    public static FailureReason Classify(string sentence)
    {
        if (Has("no space left on device"))
            return FailureReason.DiskFull;
        if (Has("invalid reference format") || Has("must be lowercase") || Has("invalid tag format") || Has("invalid checksum digest"))
            return FailureReason.InvalidDocument;
        // Before "denied": a limit passes.
        if (Has("toomanyrequests") || Has("429 Too Many"))
            return FailureReason.ImagePullFailed;
        if (Has("access denied") || Has("access to the resource is denied") || Has("unauthorized") || Has("authentication required") || Has("no basic auth credentials") || Has("403 Forbidden") || RegistryDenies().IsMatch(sentence))
            return FailureReason.ImagePullDenied;
        if (Has("manifest unknown") || Has("name unknown") || Has("not found: manifest") || Has("manifest for") || Has("no matching manifest") || Has("no such image") || Has(": not found"))
            return FailureReason.ImageNotFound;
        return FailureReason.ImagePullFailed;

        bool Has(string part) => sentence.Contains(part, StringComparison.OrdinalIgnoreCase);
    }

    // "permission denied:" are the words of the engine's own disk.
    [GeneratedRegex(@"(?<!permission )denied:", RegexOptions.IgnoreCase)]
    private static partial Regex RegistryDenies();
}
