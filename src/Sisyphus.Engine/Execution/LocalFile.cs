namespace Sisyphus.Engine.Execution;

/// <summary>How files of the workspace are opened.</summary>
internal static class LocalFile
{
    public static FileStream Create(string path) =>
        new(path, FileMode.CreateNew, FileAccess.Write, FileShare.Read, bufferSize: 64 * 1024, FileOptions.Asynchronous);
}
