using System.IO.Enumeration;

using Sisyphus.Engine.Tasks;

namespace Sisyphus.Engine.Execution;

/// <summary>Holds a document against the node's policy.</summary>
internal static class Admission
{
    /// <exception cref="TaskFailureException"><see cref="FailureReason.PolicyDenied"/>, naming what is denied and the setting that would allow it.</exception>
    public static void Check(TaskDocument document, NodePolicy policy)
    {
        if (!Matches(policy.Images, document.Image))
            throw Denied($"the image {document.Image} matches none of the allowed images ({string.Join(", ", policy.Images)})");

        foreach (var remote in document.Inputs.Select(input => input.Remote).Concat(document.Outputs.Select(output => output.Remote)))
            CheckBucket(remote, policy);

        if (document.User is { } user && user != NodeUser.Current && !policy.AllowUser)
            throw Denied($"the document chooses the user \"{user}\"; this node runs containers as {NodeUser.Current ?? "the image's user"} unless its policy allows users");

        if (policy.Networks.Count > 0 && !policy.Networks.Contains(document.Network))
            throw Denied($"the network \"{document.Network}\" is none of the allowed ones ({string.Join(", ", policy.Networks)})");
    }

    /// <inheritdoc cref="Check"/>
    public static void CheckBucket(RemotePath remote, NodePolicy policy)
    {
        // Folders and, where they are listed, hosts of the web have a rule of their own, which the stores enforce with links and redirections followed.
        if (remote.Scheme != "file" && !(remote.IsWeb && policy.HttpHosts.Count > 0) && !Matches(policy.Buckets, remote.Bucket))
            throw Denied($"{remote}: the bucket matches none of the allowed buckets ({string.Join(", ", policy.Buckets)})");
    }

    private static bool Matches(IList<string> patterns, string name) =>
        patterns.Count == 0 || patterns.Any(pattern => FileSystemName.MatchesSimpleExpression(pattern, name, ignoreCase: false));

    private static TaskFailureException Denied(string what) => new(FailureReason.PolicyDenied, $"This node's policy denies the task: {what}.");
}
