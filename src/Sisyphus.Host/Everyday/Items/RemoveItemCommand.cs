using System.Management.Automation;
using Sisyphus.Host;

namespace Microsoft.PowerShell.Commands;

[Cmdlet(VerbsCommon.Remove, "Item", DefaultParameterSetName = "Path", SupportsShouldProcess = true)]
public sealed class RemoveItemCommand : ItemCommand
{
    [Parameter]
    public SwitchParameter Recurse { get; set; }

    [Parameter]
    public string? Filter { get; set; }

    [Parameter]
    public string[]? Include { get; set; }

    [Parameter]
    public string[]? Exclude { get; set; }

    protected override void Process(string path)
    {
        var names = new NameFilter(Filter, Include, Exclude);
        foreach (var item in Resolve(path).Select(i => i.Path).Where(i => names.Accepts(SessionState.Path.ParseChildName(i))).ToArray())
        {
            if (ShouldProcess(item))
                Try(item, () => Remove(item));
        }
    }

    private void Remove(string item)
    {
        var full = InvokeProvider.Item.IsContainer(WildcardPattern.Escape(item)) && InvokeProvider.ChildItem.HasChild(item, force: true, literalPath: true);
        if (full && !Recurse && !ShouldContinue($"The item at {item} has children and the Recurse parameter was not specified. Remove all of them?", "Confirm"))
            return;
        InvokeProvider.Item.Remove([item], recurse: true, Force, literalPath: true);
    }
}
