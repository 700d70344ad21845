using System.Collections;
using System.Management.Automation;

using Sisyphus.Engine.Containers;
using Sisyphus.Engine.Execution;
using Sisyphus.Engine.Settings;

namespace Sisyphus.PowerShell.Commands;

/// <summary>What the cmdlets share that run tasks: where, with which stores, and what documents may do.</summary>
public abstract class RunningCommand : SisyphusCommand
{
    [Parameter]
    public PullPolicy PullPolicy { get; set; }

    [Parameter]
    public string? Store { get; set; }

    [Parameter]
    public IDictionary? StoreMapping { get; set; }

    [Parameter]
    public string? Engine { get; set; }

    [Parameter]
    public string? WorkDirectory { get; set; }

    [Parameter]
    public SwitchParameter AllowUser { get; set; }

    [Parameter]
    public SwitchParameter AllowMetadata { get; set; }

    [Parameter]
    public string[] FileRoot { get; set; } = [];

    [Parameter]
    public string[] HttpHost { get; set; } = [];

    private protected SettingsLayer Layer => new()
    {
        Store = this.StoreLocation(Store),
        StoreMapping = this.StoreMapping(StoreMapping),
        Engine = Engine,
        WorkDirectory = this.Folder(WorkDirectory),
    };

    private protected TaskRunnerOptions RunnerOptions(SessionSettings settings, int concurrency) => new()
    {
        Concurrency = concurrency,
        PullPolicy = PullPolicy,
        WorkDirectory = settings.WorkDirectory,
        NodeName = settings.Node,
        Policy = new NodePolicy
        {
            AllowUser = AllowUser,
            AllowMetadata = AllowMetadata,
            FileRoots = [.. FileRoot.Select(folder => this.Folder(folder)!)],
            HttpHosts = HttpHost,
        },
    };
}
