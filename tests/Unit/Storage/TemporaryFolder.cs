namespace Sisyphus.Tests.Unit.Storage;

/// <summary>A folder of one test, gone after it.</summary>
/// <param name="inMemory">For tests that write thousands of small objects, each flushed to the disk.</param>
internal sealed class TemporaryFolder(bool inMemory = false) : IDisposable
{
    private const string MemoryFolder = "/dev/shm";

    public string Path { get; } = inMemory && Directory.Exists(MemoryFolder)
        ? Directory.CreateDirectory(System.IO.Path.Combine(MemoryFolder, $"sisyphus-test-{Guid.NewGuid():N}")).FullName
        : Directory.CreateTempSubdirectory("sisyphus-test-").FullName;

    public string this[string name] => System.IO.Path.Combine(Path, name);

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
