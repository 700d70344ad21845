namespace Sisyphus.Engine.Execution;

/// <summary>The files that commands' streams were redirected to, by internal path. A later redirect to the same path replaces the earlier.</summary>
internal sealed class RedirectTable
{
    private readonly Dictionary<string, string> _local = new(StringComparer.Ordinal);

    public void Set(string internalPath, string localPath) => _local[internalPath] = localPath;

    /// <summary>From now on the container's own file counts: a later command may have changed it.</summary>
    public void Forget(string internalPath) => _local.Remove(internalPath);

    public string? Find(string internalPath) => _local.GetValueOrDefault(internalPath);
}
