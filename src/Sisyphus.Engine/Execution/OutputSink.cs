namespace Sisyphus.Engine.Execution;

/// <summary>Where one stream of one command goes: to files as it is, and as lines to whoever reads lines.</summary>
internal sealed class OutputSink : Stream
{
    private readonly IReadOnlyList<Stream> _files;
    private readonly LineSplitter? _lines;
    private readonly Func<string, CancellationToken, ValueTask> _onLine;

    /// <param name="files">Not disposed here: two sinks may share one.</param>
    /// <param name="lines">Null where the stream is data, redirected to a file.</param>
    public OutputSink(IReadOnlyList<Stream> files, LineSplitter? lines, Func<string, CancellationToken, ValueTask> onLine)
    {
        _files = files;
        _lines = lines;
        _onLine = onLine;
    }

    public override bool CanRead => false;
    public override bool CanSeek => false;
    public override bool CanWrite => true;
    public override long Length => throw new NotSupportedException();
    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        foreach (var file in _files)
            await file.WriteAsync(buffer, cancellationToken).ConfigureAwait(false);
        if (_lines is null)
            return;
        foreach (var line in _lines.Add(buffer))
            await _onLine(line, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Hands on the last line, which has no end.</summary>
    public async ValueTask EndAsync(CancellationToken cancellationToken)
    {
        if (_lines?.End() is { } line)
            await _onLine(line, cancellationToken).ConfigureAwait(false);
    }

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException("Only WriteAsync.");
    public override void Flush() { }
    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();
    public override void SetLength(long value) => throw new NotSupportedException();
}
