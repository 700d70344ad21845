using System.Collections;
using System.Management.Automation;

using Sisyphus.Engine.Settings;
using Sisyphus.PowerShell.Documents;

namespace Sisyphus.PowerShell.Commands;

[Cmdlet(VerbsCommunications.Connect, "Sisyphus", SupportsShouldProcess = true)]
[OutputType(typeof(Setting))]
public sealed class ConnectSisyphusCommand : SisyphusCommand
{
    [Parameter(Position = 0)]
    public string? Store { get; set; }

    [Parameter]
    public string? Broker { get; set; }

    [Parameter]
    [Credential]
    public PSCredential? Credential { get; set; }

    [Parameter]
    public IDictionary? StoreMapping { get; set; }

    [Parameter]
    public string? Engine { get; set; }

    [Parameter]
    public string? WorkDirectory { get; set; }

    [Parameter]
    public string? Node { get; set; }

    [Parameter]
    [QuantityTransformation]
    public string? TransferMemory { get; set; }

    [Parameter]
    public int? TransferConcurrency { get; set; }

    [Parameter]
    public SwitchParameter PassThru { get; set; }

    protected override void EndProcessing()
    {
        var layer = new SettingsLayer
        {
            Broker = this.BrokerAddress(Broker),
            Store = this.StoreLocation(Store),
            StoreMapping = this.StoreMapping(StoreMapping),
            Engine = Engine,
            WorkDirectory = this.Folder(WorkDirectory),
            Node = Node,
            TransferMemory = TransferMemory,
            TransferConcurrency = TransferConcurrency,
        };
        // A location that can't be opened must not replace one that works.
        var settings = this.ResolveSettings(layer);
        this.OpenStores(settings);
        this.OpenQueue(settings, Credential).DisposeAsync().AsTask().GetAwaiter().GetResult();
        if (!ShouldProcess("this session", layer.Store is null ? "Set the Sisyphus settings" : $"Use the store {AddressSecrets.Hide(layer.Store)}"))
            return;
        Session.Set(layer, Credential.ToNetworkCredential() is { } credential ? new SessionCredential(settings.Broker, credential) : null);
        if (PassThru)
            WriteObject(this.ResolveSettings(SettingsLayer.Empty).Settings, enumerateCollection: true);
    }
}
