using System.Management.Automation;

using Sisyphus.Engine.Storage.Transfers;
using Sisyphus.Engine.Tasks;
using Sisyphus.PowerShell.Completers;
using Sisyphus.PowerShell.Objects;

namespace Sisyphus.PowerShell.Commands;

[Cmdlet(VerbsCommon.Copy, "SisyphusObject", DefaultParameterSetName = PathSet, SupportsShouldProcess = true)]
[OutputType(typeof(StoredObject), typeof(FileInfo))]
public sealed class CopySisyphusObjectCommand : ObjectTransferCommand
{
    private const string PathSet = "Path";
    private const string LiteralPathSet = "LiteralPath";

    private CopyDestination? _destination;

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
    public SwitchParameter PassThru { get; set; }

    private protected override string Activity => "Copying objects";

    private bool IsLiteral => ParameterSetName == LiteralPathSet;

    protected override void BeginProcessing()
    {
        base.BeginProcessing();
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

    private CopyDestination OpenDestination()
    {
        if (!this.IsRemote(Destination))
        {
            var path = this.Folder(Destination)!;
            return new LocalDestination(path, Directory.Exists(path) || System.IO.Path.EndsInDirectorySeparator(Destination));
        }
        try
        {
            return new RemoteDestination(Stores, RemotePath.Parse(Destination));
        }
        catch (FormatException e)
        {
            ThrowTerminatingError(ErrorRecords.InvalidRemotePath(e, Destination));
            throw;
        }
    }

    private void CopyObjects(string path)
    {
        if (ParseQuery(path, IsLiteral) is not { } query)
            return;
        if (!query.IsSingle && !query.IsPattern && !Recurse)
        {
            WriteError(ErrorRecords.InvalidCopy($"{path} names everything below it; -Recurse copies that.", path));
            return;
        }
        var inside = _destination!.IsBelow(query);
        if (inside && !query.IsPattern)
        {
            WriteError(ErrorRecords.InvalidCopy($"{Destination} is in {path}: the copies would be copied again, without end.", path));
            return;
        }
        var failures = Failures;
        var sources = Enumerate(query.FindAsync(Stores, Force, StopToken), path);
        var isLeft = false;
        // As a shell's * leaves the folder that it copies to alone.
        if (inside)
        {
            sources = sources.Where(found =>
            {
                var isHere = _destination.Holds(found.Info);
                isLeft |= isHere;
                return !isHere;
            });
        }
        if (Copy(path, sources.Select(CopySource (found) => new ObjectSource(found)), query.IsSingle) || Failures != failures)
            return;
        if (query.IsSingle)
            WriteError(ErrorRecords.ObjectNotFound(path));
        else if (isLeft)
            WriteError(ErrorRecords.InvalidCopy($"All that {path} matches is below {Destination} already; name another destination.", path));
    }

    private void CopyFiles(string path)
    {
        foreach (var resolved in this.ResolveExisting([path], IsLiteral))
        {
            if (File.Exists(resolved))
                Copy(resolved, [new FileSource(resolved, System.IO.Path.GetFileName(resolved))], single: true);
            else if (Recurse)
                CopyFolder(resolved);
            else
                WriteError(ErrorRecords.InvalidCopy($"{resolved} is a folder; -Recurse copies the files in it.", resolved));
        }
    }

    private void CopyFolder(string folder)
    {
        try
        {
            Copy(folder, LocalFiles.Below(folder), single: false);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // One of the folders in it can't be listed.
            WriteError(ErrorRecords.FileNotAccessible(e, folder));
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
            var transfers = batch.Where(_destination!.Takes).Select(source => Plan(source, single)).OfType<ObjectTransfer>().ToArray();
            Run(transfers, path);
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

    private protected override ErrorRecord ToErrorRecord(Exception error, ObjectTransfer transfer) => transfer is FileUpload upload
        ? ErrorRecords.FileNotAccessible(error, upload.File)
        : ErrorRecords.FileNotWritten(error, transfer.Destination);

    private protected override void WriteCompleted(TransferCompleted completed)
    {
        if (PassThru)
            WriteObject(completed.Stored is { } stored ? StoredObject.From(stored, completed.Transfer.Destination) : new FileInfo(completed.Transfer.Destination));
    }
}
