using System.Management.Automation;

using Sisyphus.Engine.Settings;
using Sisyphus.Engine.Storage;
using Sisyphus.Engine.Tasks;
using Sisyphus.PowerShell.Completers;
using Sisyphus.PowerShell.Objects;

namespace Sisyphus.PowerShell.Commands;

[Cmdlet(VerbsCommon.Get, "SisyphusObject", DefaultParameterSetName = PathSet)]
[OutputType(typeof(StoredObject), typeof(StoredBucket))]
public sealed class GetSisyphusObjectCommand : SisyphusCommand
{
    private const string PathSet = "Path";
    private const string LiteralPathSet = "LiteralPath";
    private ObjectStores _stores = null!;

    [Parameter(ParameterSetName = PathSet, Position = 0, ValueFromPipeline = true)]
    [SupportsWildcards]
    [ArgumentCompleter(typeof(RemotePathCompleter))]
    public string[]? Path { get; set; }

    [Parameter(ParameterSetName = LiteralPathSet, Mandatory = true, ValueFromPipelineByPropertyName = true)]
    [Alias("RemotePath")]
    public string[] LiteralPath { get; set; } = [];

    [Parameter]
    public string? Store { get; set; }

    [Parameter]
    public SwitchParameter Force { get; set; }

    protected override void BeginProcessing() =>
        _stores = this.OpenStores(this.ResolveSettings(new SettingsLayer { Store = this.StoreLocation(Store) }));

    protected override void ProcessRecord()
    {
        if (ParameterSetName == PathSet && Path is null)
            WriteBuckets();
        foreach (var path in ParameterSetName == PathSet ? Path ?? [] : LiteralPath)
            WriteObjects(path);
    }

    private void WriteBuckets()
    {
        foreach (var bucket in Enumerate(_stores.ListBucketsAsync(StopToken), null))
        {
            var location = _stores.Resolve(new RemotePath(null, bucket, ""));
            WriteObject(new StoredBucket(bucket, bucket + ":", location.Store.Name));
        }
    }

    private void WriteObjects(string path)
    {
        RemoteQuery query;
        try
        {
            query = RemoteQuery.Parse(path, ParameterSetName == LiteralPathSet);
        }
        catch (FormatException e)
        {
            WriteError(ErrorRecords.InvalidRemotePath(e, path));
            return;
        }
        var any = false;
        foreach (var found in Enumerate(query.FindAsync(_stores, Force, StopToken), path))
        {
            any = true;
            WriteObject(StoredObject.From(found.Info, found.RemotePath));
        }
        if (!any && query.IsSingle)
            WriteError(ErrorRecords.ObjectNotFound(path));
    }
}
