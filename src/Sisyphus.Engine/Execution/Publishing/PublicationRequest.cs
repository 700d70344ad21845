using System.Text.Json;
using Sisyphus.Engine.Tasks;

namespace Sisyphus.Engine.Execution.Publishing;

/// <summary>What an attempt wants to publish, and how.</summary>
/// <param name="Home">The remote path of the document's first output, written or not: its bucket holds the decision.</param>
internal sealed record PublicationRequest(string TaskId, string AttemptId, RemotePath Home, IReadOnlyList<OutputFile> Outputs)
{
    /// <summary>The attempt's record, made of the outputs as they are decided and of whether the store lets only one attempt decide.</summary>
    public required Func<IReadOnlyList<PublishedObject>, bool, JsonElement> Record { get; init; }

    /// <summary>Straight to the final keys after the decision, where a store's copy is slow.</summary>
    public bool Direct { get; init; }

    /// <summary>Ends what follows the decision. Until then the caller's other token does; after it a cancel is too late.</summary>
    public CancellationToken Finishing { get; init; }

    /// <summary>Asked before another attempt's publication is replaced that only that one could finish: it has left it, or may still be at it. What it throws ends this one.</summary>
    public Func<CancellationToken, Task>? BeforeReplacing { get; init; }

    /// <summary>For a caller that tries again after a failure that may pass: what is staged stays until he does, or abandons it. Null: nothing is left behind.</summary>
    public PublicationState? Kept { get; init; }
}
