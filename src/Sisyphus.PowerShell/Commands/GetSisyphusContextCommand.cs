using System.Management.Automation;

using Sisyphus.Engine.Settings;

namespace Sisyphus.PowerShell.Commands;

[Cmdlet(VerbsCommon.Get, "SisyphusContext")]
[OutputType(typeof(Setting))]
public sealed class GetSisyphusContextCommand : SisyphusCommand
{
    [Parameter(Position = 0)]
    [SupportsWildcards]
    [ArgumentCompleter(typeof(Completers.SettingNameCompleter))]
    public string[]? Name { get; set; }

    protected override void EndProcessing()
    {
        var patterns = (Name ?? ["*"]).Select(name => WildcardPattern.Get(name, WildcardOptions.IgnoreCase)).ToArray();
        foreach (var setting in this.ResolveSettings(SettingsLayer.Empty).Settings)
        {
            if (patterns.Any(pattern => pattern.IsMatch(setting.Name)))
                WriteObject(setting);
        }
    }
}
