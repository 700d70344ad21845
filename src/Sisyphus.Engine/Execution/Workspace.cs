namespace Sisyphus.Engine.Execution;

/// <summary>The local files of one attempt. Names are numbers: nothing that a document or a container says ever becomes part of a local path.</summary>
internal sealed class Workspace : IDisposable
{
    private readonly string _root;
    private int _next;
    private bool _keepsJournal;

    public Workspace(RunDirectory run, AttemptJournal journal)
    {
        _root = Path.Combine(run.Root, journal.Attempt);
        PrivateFolder.Create(_root);
        try
        {
            journal.Write(_root);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>Path of a file that does not exist yet.</summary>
    public string NewFile() => Path.Combine(_root, Interlocked.Increment(ref _next).ToString("D8", System.Globalization.CultureInfo.InvariantCulture));

    /// <summary>A new, empty folder that a container may be shown.</summary>
    public string NewFolder()
    {
        var path = NewFile();
        Directory.CreateDirectory(path);
        return path;
    }

    /// <summary>Bytes of everything in it; hard links of the input cache count, as they hold the same space.</summary>
    public long Size() => new DirectoryInfo(_root).EnumerateFiles("*", SearchOption.AllDirectories).Sum(file => file.Length);

    /// <summary>Nobody can say yet whether the attempt's outputs are decided: who sweeps after this run asks again.</summary>
    public void KeepJournal() => _keepsJournal = true;

    public void Dispose()
    {
        if (_keepsJournal)
            PrivateFolder.Empty(_root, AttemptJournal.FileName);
        else
            PrivateFolder.Delete(_root);
    }
}
