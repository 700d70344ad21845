using Sisyphus.Engine.Storage;
using Sisyphus.Engine.Storage.Transfers;
using Sisyphus.Engine.Tasks;

namespace Sisyphus.PowerShell.Objects;

/// <summary>Where a copy goes.</summary>
internal abstract class CopyDestination
{
    /// <summary>Holds any number of copies by their relative names.</summary>
    public abstract bool IsContainer { get; }

    /// <param name="single">The source names one file or object, which may take the destination's own name.</param>
    /// <exception cref="FormatException">The source has no name that is possible here.</exception>
    public abstract ObjectTransfer From(CopySource source, bool single);

    /// <summary>Whether what is copied here may be found by the same query, and copied again, without end.</summary>
    public virtual bool IsBelow(RemoteQuery query) => false;

    /// <summary>Whether it can hold a source at all. What is left out is nothing that a user would miss.</summary>
    public virtual bool Takes(CopySource source) => true;

    /// <summary>Whether a source of such a query is here already.</summary>
    public virtual bool Holds(ObjectInfo source) => false;
}

internal sealed class RemoteDestination(ObjectStores stores, RemotePath path) : CopyDestination
{
    public override bool IsContainer => path.IsPrefix;

    public override bool IsBelow(RemoteQuery query) => query.Lists(stores, path);

    // Of a bucket itself there is no marker.
    public override bool Takes(CopySource source) => path.Key.Length > 0 || source.RelativeName.Length > 0 || !source.IsMarker;

    public override bool Holds(ObjectInfo source) => source.Key.StartsWith(stores.Resolve(path).Key, StringComparison.Ordinal);

    public override ObjectTransfer From(CopySource source, bool single)
    {
        var target = path.IsPrefix ? path.WithKey(path.Key + source.RelativeName) : path;
        // A file's name may make a key that no document could name.
        target = RemotePath.Parse(target.ToString());
        var to = stores.Resolve(target);
        return source switch
        {
            FileSource file => new FileUpload(file.File, to, target.ToString(), SizeOf(file.File)),
            ObjectSource { Found: var found } => new ObjectCopy(found.Store, found.Info, found.RemotePath, to, target.ToString()),
            _ => throw new ArgumentException(source.ToString(), nameof(source)),
        };
    }

    // For the progress bar. Whoever opens it says what is wrong with a file that has gone, or that this platform lists and can't name.
    private static long SizeOf(string file) => new FileInfo(file) is { Exists: true } info ? info.Length : 0;
}

/// <param name="path">Full path.</param>
/// <param name="isFolder">It is a folder, or was written with a separator at its end.</param>
internal sealed class LocalDestination(string path, bool isFolder) : CopyDestination
{
    private static readonly char[] Invalid = [.. Path.GetInvalidFileNameChars()];

    public override bool IsContainer => isFolder || !File.Exists(path);

    public override bool Takes(CopySource source) => !source.IsMarker;

    public override ObjectTransfer From(CopySource source, bool single)
    {
        var found = ((ObjectSource)source).Found;
        var file = single && !isFolder ? path : Path.Combine(path, RelativePath(found));
        return new FileDownload(found.Store, found.Info, found.RemotePath, file);
    }

    // A key is foreign text: it must not choose a place outside the folder, nor a device.
    private static string RelativePath(FoundObject found)
    {
        var segments = found.RelativeName.Split('/');
        if (segments.Any(segment => segment is "" or "." or ".." || segment.IndexOfAny(Invalid) >= 0))
            throw new FormatException($"{found.RemotePath} can't be the name of a file here; copy it alone, to a file name of your choice.");
        return Path.Combine(segments);
    }
}
