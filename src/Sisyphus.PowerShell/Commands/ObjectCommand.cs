using System.Management.Automation;

using Sisyphus.Engine.Settings;
using Sisyphus.Engine.Storage;
using Sisyphus.PowerShell.Objects;

namespace Sisyphus.PowerShell.Commands;

/// <summary>What the cmdlets share that name objects of the stores.</summary>
public abstract class ObjectCommand : SisyphusCommand
{
    private ObjectStores? _stores;

    [Parameter]
    public string? Store { get; set; }

    private protected ObjectStores Stores => _stores!;

    protected override void BeginProcessing() =>
        _stores = this.OpenStores(this.ResolveSettings(new SettingsLayer { Store = this.StoreLocation(Store) }));

    /// <summary>Null for what is no remote path, which is an error by then.</summary>
    private protected RemoteQuery? ParseQuery(string path, bool literal)
    {
        try
        {
            return RemoteQuery.Parse(path, literal);
        }
        catch (FormatException e)
        {
            WriteError(ErrorRecords.InvalidRemotePath(e, path));
            return null;
        }
    }
}
