using System.Buffers;

namespace Sisyphus.Engine.Storage.Transfers;

internal static class StreamPump
{
    public const int BufferSize = 256 * 1024;

    /// <summary>Copies until the end of <paramref name="source"/>.</summary>
    /// <param name="write">Takes each piece, and makes of an error of the target what whoever called can tell from one of the source.</param>
    public static async Task CopyAsync(Stream source, Bytes write, CancellationToken cancellationToken)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(BufferSize);
        try
        {
            int count;
            while ((count = await source.ReadAsync(buffer.AsMemory(0, BufferSize), cancellationToken).ConfigureAwait(false)) > 0)
                write(buffer.AsSpan(0, count));
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    public delegate void Bytes(ReadOnlySpan<byte> bytes);
}
