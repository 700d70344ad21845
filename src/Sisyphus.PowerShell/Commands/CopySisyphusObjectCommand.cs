using System.Management.Automation;

using Sisyphus.Engine.Settings;
using Sisyphus.Engine.Storage;
using Sisyphus.Engine.Storage.Transfers;
using Sisyphus.Engine.Tasks;
using Sisyphus.PowerShell.Completers;
using Sisyphus.PowerShell.Objects;
using Sisyphus.PowerShell.Running;

namespace Sisyphus.PowerShell.Commands;

[Cmdlet(VerbsCommon.Copy, "SisyphusObject", DefaultParameterSetName = PathSet, SupportsShouldProcess = true)]
[OutputType(typeof(StoredObject), typeof(FileInfo))]
public sealed class CopySisyphusObjectCommand : SisyphusCommand
{
    private const string PathSet = "Path";
    private const string LiteralPathSet = "LiteralPath";
    // Bounds what is held of a listing of millions of objects.
    private const int BatchSize = 1000;

    private readonly TransferOptions _options = new();
    private ObjectStores _stores = null!;
    private CopyDestination? _destination;
    private TransferProgressBar _progress = null!;

    [Parameter(ParameterSetName = PathSet, Mandatory = true, Position = 0, ValueFromPipeline = true)]
    [SupportsWildcards]
    [ArgumentCompleter(typeof(RemotePathCompleter))]
    public string[] Path { get; set; } = [];

    [Parameter(ParameterSetName = LiteralPathSet, Mandatory = true, ValueFromPipelineByPropertyName = true)]
    [Alias("RemotePath", "PSPath", "LP")]
    public string[] LiteralPath { get; set; } = [];

    [Parameter(Mandatory = true, Position = 1)]
    [ArgumentCompleter(typeof(RemotePathCompleter))]
    public string Destination { get; set; } = "";

    [Parameter]
    public SwitchParameter Recurse { get; set; }

    [Parameter]
    public SwitchParameter Force { get; set; }

    [Parameter]
    public SwitchParameter NoClobber { get; set; }

    [Parameter]
    public string? Store { get; set; }

    [Parameter]
    public SwitchParameter PassThru { get; set; }

    private bool IsLiteral => ParameterSetName == LiteralPathSet;

    protected override void BeginProcessing()
    {
        _stores = this.OpenStores(this.ResolveSettings(new SettingsLayer { Store = this.StoreLocation(Store) }));
        _progress = new TransferProgressBar("Copying objects", WriteProgress, TimeProvider.System);
        _destination = OpenDestination();
    }

    protected override void ProcessRecord()
    {
        foreach (var path in IsLiteral ? LiteralPath : Path)
        {
            if (this.IsRemote(path))
                CopyObjects(path);
            else if (_destination is LocalDestination)
                WriteError(ErrorRecords.InvalidCopy($"Neither {path} nor {Destination} is in a store (bucket:key); Copy-Item copies between local paths.", path));
            else
                CopyFiles(path);
        }
    }

    protected override void EndProcessing() => _progress.Completed();

    private CopyDestination OpenDestination()
    {
        if (!this.IsRemote(Destination))
        {
            var path = this.Folder(Destination)!;
            return new LocalDestination(path, Directory.Exists(path) || System.IO.Path.EndsInDirectorySeparator(Destination));
        }
        try
        {
            return new RemoteDestination(_stores, RemotePath.Parse(Destination));
        }
        catch (FormatException e)
        {
            ThrowTerminatingError(ErrorRecords.InvalidRemotePath(e, Destination));
            throw;
        }
    }

    private void CopyObjects(string path)
    {
        RemoteQuery query;
        try
        {
            query = RemoteQuery.Parse(path, IsLiteral);
        }
        catch (FormatException e)
        {
            WriteError(ErrorRecords.InvalidRemotePath(e, path));
            return;
        }
        if (!query.IsSingle && !query.IsPattern && !Recurse)
        {
            WriteError(ErrorRecords.InvalidCopy($"{path} names everything below it; -Recurse copies that.", path));
            return;
        }
        var found = Enumerate(query.FindAsync(_stores, Force, StopToken), path).Select(CopySource (found) => new ObjectSource(found));
        if (!Copy(path, found, query.IsSingle) && query.IsSingle)
            WriteError(ErrorRecords.ObjectNotFound(path));
    }

    private void CopyFiles(string path)
    {
        foreach (var resolved in this.ResolveExisting([path], IsLiteral))
        {
            if (File.Exists(resolved))
                Copy(resolved, [new FileSource(resolved, System.IO.Path.GetFileName(resolved))], single: true);
            else if (Recurse)
                Copy(resolved, LocalFiles.Below(resolved), single: false);
            else
                WriteError(ErrorRecords.InvalidCopy($"{resolved} is a folder; -Recurse copies the files in it.", resolved));
        }
    }

    /// <returns>Whether there was anything to copy.</returns>
    private bool Copy(string path, IEnumerable<CopySource> sources, bool single)
    {
        if (!single && !_destination!.IsContainer)
        {
            WriteError(ErrorRecords.InvalidCopy($"{path} may name several objects and {Destination} names one; end it with / to copy to below it.", path));
            return true;
        }
        var any = false;
        foreach (var batch in sources.Chunk(BatchSize))
        {
            any = true;
            var transfers = batch.Select(source => Plan(source, single)).OfType<ObjectTransfer>().ToArray();
            foreach (var happened in Enumerate(TransferBatch.RunAsync(transfers, _options, StopToken), path))
                Write(happened);
        }
        return any;
    }

    private ObjectTransfer? Plan(CopySource source, bool single)
    {
        ObjectTransfer transfer;
        try
        {
            transfer = _destination!.From(source, single);
        }
        catch (FormatException e)
        {
            WriteError(ErrorRecords.InvalidRemotePath(e, source.Name));
            return null;
        }
        if (!ShouldProcess($"{transfer.Source} to {transfer.Destination}", "Copy"))
            return null;
        if (Exists(transfer) is not { } existing)
            return transfer;
        WriteError(ErrorRecords.FileExists(existing));
        return null;
    }

    /// <summary>What stands in the way: anything with -NoClobber, a read-only file without -Force.</summary>
    private string? Exists(ObjectTransfer transfer)
    {
        switch (transfer)
        {
            case FileDownload download when new FileInfo(download.File) is { Exists: true } file:
                return NoClobber || (file.IsReadOnly && !Force) ? file.FullName : null;
            case FileUpload { To: var to } when NoClobber:
                return Wait(to.Store.StatAsync(to.Bucket, to.Key, StopToken)) is null ? null : transfer.Destination;
            case ObjectCopy { To: var to } when NoClobber:
                return Wait(to.Store.StatAsync(to.Bucket, to.Key, StopToken)) is null ? null : transfer.Destination;
            default:
                return null;
        }
    }

    private void Write(TransferEvent happened)
    {
        switch (happened)
        {
            case TransferProgressed progressed:
                _progress.Show(progressed.Progress);
                break;
            case TransferFailed { Error: TaskFailureException e, Transfer: var transfer }:
                WriteError(e.ForObject(transfer.Source));
                break;
            case TransferFailed { Error: var e, Transfer: FileUpload upload }:
                WriteError(ErrorRecords.FileNotAccessible(e, upload.File));
                break;
            case TransferFailed { Error: var e, Transfer: var transfer }:
                WriteError(ErrorRecords.FileNotWritten(e, transfer.Destination));
                break;
            case TransferCompleted { Transfer: var transfer, Stored: var stored } when PassThru:
                WriteObject(stored is null ? new FileInfo(transfer.Destination) : StoredObject.From(stored, transfer.Destination));
                break;
        }
    }
}
