using Microsoft.Win32.SafeHandles;

namespace Sisyphus.Engine.Storage.Directories;

/// <summary>Reads a part of one generation of a file, and fails at its end when the object is another generation by then.</summary>
internal sealed class PinnedFileStream : ReadOnlyStream
{
    private readonly SafeFileHandle _handle;
    private readonly string _path;
    private readonly string _name;
    private readonly FileIdentity _identity;
    private readonly long _end;
    private long _position;

    /// <param name="name">The object, as messages name it.</param>
    public PinnedFileStream(SafeFileHandle handle, string path, string name, FileIdentity identity, long offset, long? length)
    {
        (_handle, _path, _name, _identity, _position, _end) = (handle, path, name, identity, offset, length is { } bytes ? offset + bytes : identity.Size);
    }

    public override long Length => _end;

    public override int Read(Span<byte> buffer)
    {
        try
        {
            return Passed(buffer.Length, RandomAccess.Read(_handle, Clip(buffer), _position));
        }
        catch (Exception e) when (StoreFailures.IsIO(e))
        {
            throw StoreFailures.FromIO(e, $"read {_name}");
        }
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        try
        {
            var clipped = buffer[..(int)Math.Min(buffer.Length, _end - _position)];
            return Passed(buffer.Length, await RandomAccess.ReadAsync(_handle, clipped, _position, cancellationToken).ConfigureAwait(false));
        }
        catch (Exception e) when (StoreFailures.IsIO(e))
        {
            throw StoreFailures.FromIO(e, $"read {_name}");
        }
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
            _handle.Dispose();
        base.Dispose(disposing);
    }

    private Span<byte> Clip(Span<byte> buffer) => buffer[..(int)Math.Min(buffer.Length, _end - _position)];

    private int Passed(int asked, int count)
    {
        _position += count;
        if (count == 0 && asked > 0 && (FileIdentity.Find(_handle, _path) != _identity || FileIdentity.Find(_path) != _identity || _position != _end))
            throw StoreFailures.Changed(_name);
        return count;
    }
}
