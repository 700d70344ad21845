using System.Buffers;

using Docker.DotNet;

namespace Sisyphus.Engine.Containers.Docker;

/// <summary>Moves bytes between an attached process and the caller's streams.</summary>
/// <remarks>The engine writes to its attached clients one after the other: a sink that is slow slows the process, and nothing is kept here but one buffer.</remarks>
internal static class StreamPump
{
    // Two frames of the engine's (32 KiB each).
    private const int BufferSize = 64 << 10;

    /// <summary>Copies both outputs until the engine closes the stream.</summary>
    /// <exception cref="SinkException">One of the sinks threw.</exception>
    public static async Task DrainAsync(MultiplexedStream attached, Stream standardOutput, Stream standardError, CancellationToken cancellationToken)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(BufferSize);
        try
        {
            while (true)
            {
                var read = await attached.ReadOutputAsync(buffer, 0, buffer.Length, cancellationToken).ConfigureAwait(false);
                if (read.EOF)
                    return;
                var sink = read.Target == MultiplexedStream.TargetStream.StandardError ? standardError : standardOutput;
                try
                {
                    await sink.WriteAsync(buffer.AsMemory(0, read.Count), cancellationToken).ConfigureAwait(false);
                }
                catch (Exception error) when (error is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
                {
                    throw new SinkException(error);
                }
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    /// <summary>Feeds the process and closes its input. A process that does not read to the end is no error.</summary>
    /// <exception cref="SinkException">The source threw.</exception>
    public static async Task FeedAsync(MultiplexedStream attached, Stream? source, CancellationToken cancellationToken)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(BufferSize);
        try
        {
            while (source is not null)
            {
                int count;
                try
                {
                    count = await source.ReadAsync(buffer, cancellationToken).ConfigureAwait(false);
                }
                catch (Exception error) when (error is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
                {
                    throw new SinkException(error);
                }
                if (count == 0)
                    break;
                await attached.WriteAsync(buffer, 0, count, cancellationToken).ConfigureAwait(false);
            }
            attached.CloseWrite();
        }
        catch (Exception closed) when (closed is IOException or ObjectDisposedException or System.Net.Sockets.SocketException)
        {
            // The process, or the engine for it, has closed its end.
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }
}

/// <summary>The caller's stream failed, not the engine's.</summary>
#pragma warning disable CA1032, CA1064 // never leaves the folder: its cause is what the caller sees
internal sealed class SinkException(Exception cause) : Exception(cause.Message, cause);
#pragma warning restore CA1032, CA1064
