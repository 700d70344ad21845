using Sisyphus.Engine.Tasks;

namespace Sisyphus.Engine.Containers.Docker;

/// <summary>Tells the reasons for a failed pull apart. The engine hands on the registry's words; there is no code in its stream.</summary>
internal static class PullErrors
{
    public static TaskFailureException Describe(string reference, string sentence, Exception? cause)
    {
        var reason = Classify(sentence);
        return new(reason, reason switch
        {
            FailureReason.ImageNotFound => $"The image {reference} does not exist in its registry (or not for this platform): {sentence}",
            FailureReason.ImagePullDenied => $"The registry does not let us pull {reference}: {sentence} (The image may not exist, or it needs a login; pulls are anonymous.)",
            FailureReason.InvalidDocument => $"\"{reference}\" is not an image reference: {sentence}",
            FailureReason.DiskFull => $"The container engine's disk is full: could not pull {reference}: {sentence}",
            _ => $"The image {reference} could not be pulled: {sentence}",
        }, cause);
    }

    public static FailureReason Classify(string sentence)
    {
        if (Has("no space left on device"))
            return FailureReason.DiskFull;
        if (Has("invalid reference format") || Has("must be lowercase") || Has("invalid tag format") || Has("invalid checksum digest"))
            return FailureReason.InvalidDocument;
        // Before "denied": a limit passes.
        if (Has("toomanyrequests") || Has("429 Too Many"))
            return FailureReason.ImagePullFailed;
        if (Has("access denied") || Has("access to the resource is denied") || Has("unauthorized") || Has("authentication required") || Has("no basic auth credentials") || Has("403 Forbidden") || Has("denied:"))
            return FailureReason.ImagePullDenied;
        if (Has("manifest unknown") || Has("name unknown") || Has("not found: manifest") || Has("manifest for") || Has("no matching manifest") || Has("no such image") || Has(": not found"))
            return FailureReason.ImageNotFound;
        return FailureReason.ImagePullFailed;

        bool Has(string part) => sentence.Contains(part, StringComparison.OrdinalIgnoreCase);
    }
}
