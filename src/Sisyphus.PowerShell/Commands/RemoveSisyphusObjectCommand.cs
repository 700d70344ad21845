using System.Management.Automation;

using Sisyphus.Engine.Storage.Transfers;
using Sisyphus.PowerShell.Completers;

namespace Sisyphus.PowerShell.Commands;

[Cmdlet(VerbsCommon.Remove, "SisyphusObject", DefaultParameterSetName = PathSet, SupportsShouldProcess = true, ConfirmImpact = ConfirmImpact.Medium)]
[OutputType(typeof(void))]
public sealed class RemoveSisyphusObjectCommand : ObjectTransferCommand
{
    private const string PathSet = "Path";
    private const string LiteralPathSet = "LiteralPath";

    [Parameter(ParameterSetName = PathSet, Mandatory = true, Position = 0, ValueFromPipeline = true)]
    [SupportsWildcards]
    [ArgumentCompleter(typeof(RemotePathCompleter))]
    public string[] Path { get; set; } = [];

    [Parameter(ParameterSetName = LiteralPathSet, Mandatory = true, ValueFromPipelineByPropertyName = true)]
    [Alias("RemotePath")]
    public string[] LiteralPath { get; set; } = [];

    [Parameter]
    public SwitchParameter Recurse { get; set; }

    [Parameter]
    public SwitchParameter Force { get; set; }

    private protected override string Activity => "Removing objects";

    private bool IsLiteral => ParameterSetName == LiteralPathSet;

    protected override void ProcessRecord()
    {
        foreach (var path in IsLiteral ? LiteralPath : Path)
            Remove(path);
    }

    private void Remove(string path)
    {
        if (ParseQuery(path, IsLiteral) is not { } query)
            return;
        if (!query.IsSingle && !query.IsPattern && !Recurse)
        {
            WriteError(ErrorRecords.InvalidRemoval($"{path} names everything below it; -Recurse removes that.", path));
            return;
        }
        var any = false;
        var failures = Failures;
        foreach (var batch in Enumerate(query.FindAsync(Stores, Force, StopToken), path).Chunk(BatchSize))
        {
            any = true;
            var removals = batch.Where(found => ShouldProcess(found.RemotePath, "Remove")).Select(found => new ObjectRemoval(found.Store, found.Info, found.RemotePath)).ToArray();
            Run(removals, path);
        }
        if (!any && query.IsSingle && Failures == failures)
            WriteError(ErrorRecords.ObjectNotFound(path));
    }
}
