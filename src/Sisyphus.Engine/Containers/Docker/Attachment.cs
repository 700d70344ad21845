using System.Runtime.ExceptionServices;

using Docker.DotNet;

namespace Sisyphus.Engine.Containers.Docker;

/// <summary>The streams of one process, from before its start to its end. Disposing lets go of it: the engine throws further output away and the process is not blocked.</summary>
internal sealed class Attachment : IAsyncDisposable
{
    private readonly MultiplexedStream _stream;
    private readonly CancellationTokenSource _stop;
    private readonly Task _output;
    private readonly Task _input;

    public Attachment(MultiplexedStream stream, Stream? standardInput, Stream standardOutput, Stream standardError, CancellationToken cancellationToken)
    {
        _stream = stream;
        _stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        _output = StreamPump.DrainAsync(stream, standardOutput, standardError, _stop.Token);
        _input = StreamPump.FeedAsync(stream, standardInput, _stop.Token);
    }

    /// <summary>Waits until the process has ended and everything it wrote is with the sinks. Ends at once when one of the caller's streams fails.</summary>
    /// <param name="exited">Ends with the process.</param>
    public async Task CompleteAsync(Task exited)
    {
        var waiting = new List<Task> { _output, _input, exited };
        while (!(_output.IsCompleted && exited.IsCompleted))
        {
            var ended = await Task.WhenAny(waiting).ConfigureAwait(false);
            await ended.ConfigureAwait(false);
            waiting.Remove(ended);
        }
        await _output.ConfigureAwait(false);
        await exited.ConfigureAwait(false);
    }

    /// <summary>The exception to show instead of one that came through here.</summary>
    public static void Rethrow(SinkException error) => ExceptionDispatchInfo.Throw(error.InnerException!);

    public async ValueTask DisposeAsync()
    {
        // The source may wait for input that never comes: its read is cancelled, and only then the buffers go back.
        await _stop.CancelAsync().ConfigureAwait(false);
        await Task.WhenAll(_output, _input).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _stream.Dispose();
        _stop.Dispose();
    }
}
