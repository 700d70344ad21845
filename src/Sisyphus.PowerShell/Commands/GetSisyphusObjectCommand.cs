using System.Management.Automation;

using Sisyphus.Engine.Tasks;
using Sisyphus.PowerShell.Completers;
using Sisyphus.PowerShell.Objects;

namespace Sisyphus.PowerShell.Commands;

[Cmdlet(VerbsCommon.Get, "SisyphusObject", DefaultParameterSetName = PathSet)]
[OutputType(typeof(StoredObject), typeof(StoredBucket))]
public sealed class GetSisyphusObjectCommand : ObjectCommand
{
    private const string PathSet = "Path";
    private const string LiteralPathSet = "LiteralPath";

    [Parameter(ParameterSetName = PathSet, Position = 0, ValueFromPipeline = true)]
    [SupportsWildcards]
    [ArgumentCompleter(typeof(RemotePathCompleter))]
    public string[]? Path { get; set; }

    [Parameter(ParameterSetName = LiteralPathSet, Mandatory = true, ValueFromPipelineByPropertyName = true)]
    [Alias("RemotePath")]
    public string[] LiteralPath { get; set; } = [];

    [Parameter]
    public SwitchParameter Force { get; set; }

    protected override void ProcessRecord()
    {
        if (ParameterSetName == PathSet && Path is null)
            WriteBuckets();
        foreach (var path in ParameterSetName == PathSet ? Path ?? [] : LiteralPath)
            WriteObjects(path);
    }

    private void WriteBuckets()
    {
        foreach (var bucket in Enumerate(Stores.ListBucketsAsync(StopToken), null))
        {
            var location = Stores.Resolve(new RemotePath(null, bucket, ""));
            WriteObject(new StoredBucket(bucket, bucket + ":", location.Store.Name));
        }
    }

    private void WriteObjects(string path)
    {
        if (ParseQuery(path, ParameterSetName == LiteralPathSet) is not { } query)
            return;
        var any = false;
        var failures = Failures;
        foreach (var found in Enumerate(query.FindAsync(Stores, Force, StopToken), path))
        {
            any = true;
            WriteObject(StoredObject.From(found.Info, found.Written));
        }
        if (!any && query.IsSingle && Failures == failures)
            WriteError(ErrorRecords.ObjectNotFound(path));
    }
}
