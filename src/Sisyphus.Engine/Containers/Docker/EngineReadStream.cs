using Sisyphus.Engine.Tasks;

namespace Sisyphus.Engine.Containers.Docker;

/// <summary>What the engine sends, with a limit on its silence and its errors in our words.</summary>
internal sealed class EngineReadStream(Stream inner, EngineCalls calls, string action) : Stream
{
    private static readonly TimeSpan Silence = TimeSpan.FromMinutes(2);

    public override bool CanRead => true;
    public override bool CanSeek => false;
    public override bool CanWrite => false;
    public override long Length => throw new NotSupportedException();
    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        // The library takes a read of nothing for a broken connection.
        if (buffer.IsEmpty)
            return 0;
        using var limited = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limited.CancelAfter(Silence);
        try
        {
            return await inner.ReadAsync(buffer, limited.Token).ConfigureAwait(false);
        }
        catch (Exception) when (cancellationToken.IsCancellationRequested)
        {
            throw new OperationCanceledException(cancellationToken);
        }
        catch (OperationCanceledException late)
        {
            throw calls.Describe(new TimeoutException(null, late), action)!;
        }
        catch (Exception error) when (error is not TaskFailureException && calls.Describe(error, action) is { } failure)
        {
            throw failure;
        }
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) => ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    // System.Formats.Tar reads extended headers synchronously even in its asynchronous methods; the library's stream can't.
    public override int Read(byte[] buffer, int offset, int count) => ReadAsync(buffer.AsMemory(offset, count)).AsTask().GetAwaiter().GetResult();

    public override void Flush() { }
    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();
    public override void SetLength(long value) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing)
            inner.Dispose();
        base.Dispose(disposing);
    }
}
