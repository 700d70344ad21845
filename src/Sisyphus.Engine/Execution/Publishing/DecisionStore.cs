using System.Text.Json;
using Sisyphus.Engine.Storage;
using Sisyphus.Engine.Storage.Transfers;
using Sisyphus.Engine.Tasks;

namespace Sisyphus.Engine.Execution.Publishing;

/// <summary>Reads, creates and marks the decision of a task.</summary>
internal sealed class DecisionStore(Retry retry)
{
    private const int MaxReads = 10;
    private const long MaxBytes = 256 * 1024 * 1024;

    /// <returns>Null when nothing is decided.</returns>
    public Task<Decision?> FindAsync(ObjectLocation home, string taskId, CancellationToken cancellationToken) =>
        retry.RunAsync(() => TryFindAsync(home, taskId, cancellationToken), cancellationToken);

    /// <summary>Creates the decision unless there is one.</summary>
    /// <returns>The one that stands, whoever made it.</returns>
    public Task<Decision> CreateAsync(ObjectLocation home, Decision decision, CancellationToken cancellationToken)
    {
        var content = Write(decision);
        // A repeated try may meet the first one, whose answer was lost; the attempt's id in the decision tells.
        return retry.RunAsync(
            async () =>
            {
                while (true)
                {
                    if (await home.Store.CreateIfAbsentAsync(home.Bucket, PublishingKeys.Decision(decision.Task), content, cancellationToken).ConfigureAwait(false) is not null)
                        return decision;
                    if (await TryFindAsync(home, decision.Task, cancellationToken).ConfigureAwait(false) is { } existing)
                        return existing;
                }
            },
            cancellationToken);
    }

    /// <summary>Marks it done. Everybody who does so writes the same bytes.</summary>
    public async Task<Decision> MarkDoneAsync(ObjectLocation home, Decision decision, CancellationToken cancellationToken)
    {
        var done = decision with { Done = true };
        var content = Write(done);
        await retry.RunAsync(
            async () =>
            {
                using var stream = new MemoryStream(content, writable: false);
                return await home.Store.PutAsync(home.Bucket, PublishingKeys.Decision(decision.Task), stream, cancellationToken).ConfigureAwait(false);
            },
            cancellationToken).ConfigureAwait(false);
        return done;
    }

    private static async Task<Decision?> TryFindAsync(ObjectLocation home, string taskId, CancellationToken cancellationToken)
    {
        var key = PublishingKeys.Decision(taskId);
        for (var attempt = 1; ; attempt++)
        {
            if (await home.Store.StatAsync(home.Bucket, key, cancellationToken).ConfigureAwait(false) is not { } info)
                return null;
            if (info.Size > MaxBytes)
                throw Unreadable(home, key, $"it has {info.Size} bytes");
            try
            {
                var stream = await home.Store.OpenReadAsync(info, 0, cancellationToken).ConfigureAwait(false);
                await using (stream.ConfigureAwait(false))
                    return Read(home, key, taskId, await ReadAllAsync(stream, cancellationToken).ConfigureAwait(false));
            }
            catch (TaskFailureException e) when (attempt < MaxReads && e.Reason is (FailureReason.InputCorrupt or FailureReason.InputMissing))
            {
                // Marked done while it was read: it never changes but for that.
            }
        }
    }

    private static async Task<byte[]> ReadAllAsync(Stream stream, CancellationToken cancellationToken)
    {
        using var content = new MemoryStream();
        await stream.CopyToAsync(content, cancellationToken).ConfigureAwait(false);
        return content.ToArray();
    }

    private static byte[] Write(Decision decision) => JsonSerializer.SerializeToUtf8Bytes(decision, PublishingJson.Default.Decision);

    private static Decision Read(ObjectLocation home, string key, string taskId, byte[] json)
    {
        Decision? decision;
        try
        {
            decision = JsonSerializer.Deserialize(json, PublishingJson.Default.Decision);
        }
        catch (JsonException e)
        {
            throw Unreadable(home, key, e.Message, e);
        }
        if (decision is null || decision.Task != taskId)
            throw Unreadable(home, key, $"it is the decision of task '{decision?.Task}'");
        if (decision.Version > Decision.CurrentVersion)
            throw Unreadable(home, key, $"its version is {decision.Version}, this program knows up to {Decision.CurrentVersion}");
        return decision;
    }

    private static TaskFailureException Unreadable(ObjectLocation home, string key, string why, Exception? cause = null) =>
        new(FailureReason.Internal, $"The decision {home.Bucket}:{key} in {home.Store.Name} can't be read: {why}.", cause);
}
