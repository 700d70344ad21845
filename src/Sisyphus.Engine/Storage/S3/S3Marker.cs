using System.Net;
using Sisyphus.Engine.Tasks;

namespace Sisyphus.Engine.Storage.S3;

/// <summary>Creates objects that must not be there yet (https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html).</summary>
internal sealed class S3Marker(S3Connection connection)
{
    // Times the tries of a request.
    private const int MaxConflicts = 10;
    /// <summary>One for all who ask, so that no more than one can stay; no task's id begins so.</summary>
    private const string Probe = ReservedKeys.Prefix + "~probe";

    /// <summary>Whether the server obeys the condition: one that is older stores the object all the same, and says nothing.</summary>
    public async Task<bool> IsExclusiveAsync(string bucket, CancellationToken cancellationToken)
    {
        var abilities = connection.Abilities;
        if (abilities.Conditions is { } known)
            return known;
        await abilities.Asking.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            abilities.Conditions ??= await ProbeAsync(new S3Target(bucket, Probe), cancellationToken).ConfigureAwait(false);
            return abilities.Conditions.Value;
        }
        finally
        {
            abilities.Asking.Release();
        }
    }

    /// <returns>Null when there is one already.</returns>
    public async Task<ObjectInfo?> CreateAsync(S3Target target, ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
    {
        var read = new S3Read(connection);
        var writer = new S3Writer(connection);
        if (!await IsExclusiveAsync(target.Bucket, cancellationToken).ConfigureAwait(false))
        {
            // The best that can be done there.
            return await read.StatAsync(target, null, cancellationToken).ConfigureAwait(false) is null
                ? await writer.PutAsync(target, content, ifAbsent: false, cancellationToken).ConfigureAwait(false)
                : null;
        }
        var uncertain = false;
        for (var conflicts = 1; ; conflicts++)
        {
            try
            {
                return await writer.PutAsync(target, content, ifAbsent: true, cancellationToken, e => uncertain |= !S3Failures.IsRefusal(e)).ConfigureAwait(false);
            }
            catch (TaskFailureException e) when (S3Failures.Status(e) == HttpStatusCode.PreconditionFailed)
            {
                // It may be one's own, of which only the answer was lost.
                return uncertain ? await FindOwnAsync(read, target, content, cancellationToken).ConfigureAwait(false) : null;
            }
            catch (TaskFailureException e) when (S3Failures.Code(e) == "ConditionalRequestConflict" && conflicts < MaxConflicts)
            {
                // Another one is writing it at this moment, and does not always come to an end.
            }
        }
    }

    /// <returns>Null when another one is there, or none.</returns>
    public async Task<ObjectInfo?> ReplaceAsync(S3Target target, S3Generation standing, ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
    {
        var writer = new S3Writer(connection);
        if (!await IsExclusiveAsync(target.Bucket, cancellationToken).ConfigureAwait(false))
            return await ReplaceAfterLookingAsync().ConfigureAwait(false);
        try
        {
            return await writer.PutAsync(target, content, ifAbsent: false, cancellationToken, ifMatch: standing).ConfigureAwait(false);
        }
        catch (TaskFailureException e) when (S3Failures.Status(e) == HttpStatusCode.PreconditionFailed || S3Failures.Code(e) == "NoSuchKey")
        {
            return null;
        }
        catch (TaskFailureException e) when (S3Failures.Code(e) == "NotImplemented" || S3Failures.Status(e) == HttpStatusCode.NotImplemented)
        {
            // There are servers that know only the other condition.
            return await ReplaceAfterLookingAsync().ConfigureAwait(false);
        }

        // The best that can be done there.
        async Task<ObjectInfo?> ReplaceAfterLookingAsync() =>
            await new S3Read(connection).StatAsync(target, null, cancellationToken).ConfigureAwait(false) is { } there && S3Generation.Parse(there.Generation).ETag == standing.ETag
                ? await writer.PutAsync(target, content, ifAbsent: false, cancellationToken).ConfigureAwait(false)
                : null;
    }

    private async Task<bool> ProbeAsync(S3Target target, CancellationToken cancellationToken)
    {
        var writer = new S3Writer(connection);
        try
        {
            await writer.PutAsync(target, ReadOnlyMemory<byte>.Empty, ifAbsent: true, cancellationToken).ConfigureAwait(false);
            await writer.PutAsync(target, ReadOnlyMemory<byte>.Empty, ifAbsent: true, cancellationToken).ConfigureAwait(false);
            return false;
        }
        catch (TaskFailureException e) when (S3Failures.Status(e) == HttpStatusCode.PreconditionFailed)
        {
            return true;
        }
        catch (TaskFailureException e) when (S3Failures.Code(e) == "NotImplemented" || S3Failures.Status(e) == HttpStatusCode.NotImplemented)
        {
            return false;
        }
        finally
        {
            await RemoveAsync(target, cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task RemoveAsync(S3Target target, CancellationToken cancellationToken)
    {
        try
        {
            await connection.DeleteAsync(target, null, cancellationToken).ConfigureAwait(false);
        }
        catch (TaskFailureException)
        {
            // Who may write need not have the right to delete. What was asked is answered, and an object of no bytes stays.
        }
    }

    private static async Task<ObjectInfo?> FindOwnAsync(S3Read read, S3Target target, ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
    {
        if (await read.StatAsync(target, null, cancellationToken).ConfigureAwait(false) is not { } there || there.Size != content.Length)
            return null;
        var bytes = new byte[content.Length];
        var stream = await read.OpenAsync(there, 0, there.Size, cancellationToken).ConfigureAwait(false);
        await using (stream.ConfigureAwait(false))
            await stream.ReadExactlyAsync(bytes, cancellationToken).ConfigureAwait(false);
        return content.Span.SequenceEqual(bytes) ? there with { Crc32C = Checksums.Crc32C.Of(bytes) } : null;
    }
}
