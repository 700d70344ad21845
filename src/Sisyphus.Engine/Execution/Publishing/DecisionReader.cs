using System.Text.Json;
using System.Text.RegularExpressions;
using Sisyphus.Engine.Tasks;

namespace Sisyphus.Engine.Execution.Publishing;

/// <summary>Reads decisions as what they are, a stranger's text: whoever finishes one copies and deletes what it names.</summary>
internal static partial class DecisionReader
{
    /// <param name="where">Names the object in messages.</param>
    /// <exception cref="TaskFailureException">It is not this task's decision, not one that this version knows, or not sound.</exception>
    public static Decision Read(ReadOnlySpan<byte> json, string taskId, string where)
    {
        Decision? decision;
        try
        {
            decision = JsonSerializer.Deserialize(json, PublishingJson.Default.Decision);
        }
        catch (JsonException e)
        {
            throw Unreadable(where, e.Message, e);
        }
        if (decision is null || decision.Task != taskId)
            throw Unreadable(where, $"it is the decision of task '{decision?.Task}'");
        if (decision.Version is < 1 or > Decision.CurrentVersion)
            throw Unreadable(where, $"its version is {decision.Version}, this program knows 1 to {Decision.CurrentVersion}");
        if (decision.Attempt is null || !PublishingKeys.IsId(decision.Attempt))
            throw Unreadable(where, $"'{decision.Attempt}' is no attempt");
        if (decision.Outputs is null)
            throw Unreadable(where, "it has no outputs");
        foreach (var output in decision.Outputs)
        {
            if (Flaw(decision, output) is { } flaw)
                throw Unreadable(where, $"its output {output?.Path} {flaw}");
        }
        return decision;
    }

    public static TaskFailureException Unreadable(string where, string why, Exception? cause = null) =>
        new(FailureReason.Internal, $"The decision {where} can't be read: {why}.", cause);

    // Deserialized: what is declared as not null may be null all the same.
    private static string? Flaw(Decision decision, DecidedOutput? output) => output switch
    {
        null or { Path: null } or { Bucket: null } or { Key: null or "" } or { Sha256: null } => "is not complete",
        { Size: < 0 } => $"has {output.Size} bytes",
        { Crc32C: null } => "has no CRC-32C",
        _ when !Crc().IsMatch(output.Crc32C) => $"has the CRC-32C '{output.Crc32C}'",
        { Staged: { } staged } when PublishingKeys.OwnerOfStaged(staged) != (decision.Task, decision.Attempt) => $"is staged as '{staged}', which is not its attempt's",
        _ => null,
    };

    [GeneratedRegex(@"\A[0-9a-f]{8}\z")]
    private static partial Regex Crc();
}
