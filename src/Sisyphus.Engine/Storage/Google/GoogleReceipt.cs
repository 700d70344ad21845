using Sisyphus.Engine.Storage.Checksums;
using Sisyphus.Engine.Tasks;

namespace Sisyphus.Engine.Storage.Google;

/// <summary>What the service says that it received, against what was sent. It compares checksums itself; this is for a service that does not.</summary>
internal sealed class GoogleReceipt(GoogleConnection connection)
{
    /// <exception cref="TaskFailureException">It arrived damaged, and is not there any more.</exception>
    public async Task<ObjectInfo> CheckAsync(ObjectInfo stored, long size, uint crc, CancellationToken cancellationToken)
    {
        if (stored.Size == size && (stored.Crc32C ?? crc) == crc)
            return stored with { Crc32C = crc };
        var name = $"{stored.Bucket}:{stored.Key}";
        // Only this generation: what somebody else has put there since is his.
        var damaged = new GoogleRequest(HttpMethod.Delete, $"{GoogleObjects.PathOf(stored.Bucket, stored.Key)}?ifGenerationMatch={GoogleNames.Encode(stored.Generation)}", $"delete the damaged {name}") { Expected = [404, 412] };
        await connection.SendAsync(damaged, answer => answer.Code, cancellationToken).ConfigureAwait(false);
        throw new TaskFailureException(FailureReason.TransferFailed, $"Can't write {name}: it arrived damaged: {stored.Size} bytes, CRC-32C {Crc32C.ToText(stored.Crc32C ?? 0)}, instead of {size}, {Crc32C.ToText(crc)}.");
    }
}
