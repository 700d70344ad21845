using Microsoft.Win32.SafeHandles;
using Sisyphus.Engine.Storage.Checksums;

namespace Sisyphus.Engine.Storage.Cache;

/// <summary>A cached object that stays where it is until this is disposed. Do not write to it: others use it too.</summary>
internal sealed class CacheLease : IDisposable
{
    private readonly SafeFileHandle _lock;

    internal CacheLease(string path, ContentSums sums, SafeFileHandle sharedLock) => (Path, Sums, _lock) = (path, sums, sharedLock);

    /// <summary>Absolute path of a complete file that nobody may write.</summary>
    public string Path { get; }

    public ContentSums Sums { get; }

    public void Dispose() => _lock.Dispose();
}
