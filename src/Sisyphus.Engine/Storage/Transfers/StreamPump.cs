using System.Buffers;

namespace Sisyphus.Engine.Storage.Transfers;

/// <summary>How a copy from one stream to another ended, and whose fault it was. The idea is that of YARP's StreamCopier.</summary>
internal readonly record struct PumpResult(PumpEnd End, Exception? Error);

internal enum PumpEnd
{
    Complete,
    SourceFailed,
    TargetFailed,
}

internal static class StreamPump
{
    public const int BufferSize = 256 * 1024;

    /// <summary>Copies until the end of <paramref name="source"/>. Only cancellation of <paramref name="cancellationToken"/> itself is thrown.</summary>
    /// <param name="write">Takes each piece; throws when the target fails.</param>
    /// <param name="stallTimeout">A read that brings nothing for so long is a failure of the source.</param>
    public static async Task<PumpResult> CopyAsync(Stream source, Action<ReadOnlySpan<byte>> write, TimeSpan stallTimeout, TimeProvider time, CancellationToken cancellationToken)
    {
        using var stall = new CancellationTokenSource(stallTimeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, stall.Token);
        var buffer = ArrayPool<byte>.Shared.Rent(BufferSize);
        try
        {
            while (true)
            {
                int count;
                try
                {
                    stall.CancelAfter(stallTimeout);
                    count = await source.ReadAsync(buffer.AsMemory(0, BufferSize), either.Token).ConfigureAwait(false);
                }
                catch (OperationCanceledException) when (stall.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
                {
                    return new PumpResult(PumpEnd.SourceFailed, new TimeoutException($"nothing came for {stallTimeout.TotalSeconds:0} s"));
                }
                catch (Exception e) when (!cancellationToken.IsCancellationRequested)
                {
                    return new PumpResult(PumpEnd.SourceFailed, e);
                }
                if (count == 0)
                    return new PumpResult(PumpEnd.Complete, null);
                try
                {
                    write(buffer.AsSpan(0, count));
                }
                catch (Exception e) when (StoreFailures.IsIO(e))
                {
                    return new PumpResult(PumpEnd.TargetFailed, e);
                }
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }
}
