using System.Management.Automation;
using Sisyphus.Host;

namespace Microsoft.PowerShell.Commands;

[Cmdlet("Sort", "Object")]
public sealed class SortObjectCommand : PSCmdlet
{
    private readonly List<PSObject> _input = [];

    [Parameter(ValueFromPipeline = true)]
    public PSObject? InputObject { get; set; }

    [Parameter(Position = 0)]
    public object[]? Property { get; set; }

    [Parameter]
    public SwitchParameter Descending { get; set; }

    [Parameter]
    public SwitchParameter Unique { get; set; }

    [Parameter]
    public SwitchParameter CaseSensitive { get; set; }

    [Parameter]
    public SwitchParameter Stable { get; set; }

    [Parameter]
    [ValidateRange(1, int.MaxValue)]
    public int Top { get; set; }

    [Parameter]
    [ValidateRange(1, int.MaxValue)]
    public int Bottom { get; set; }

    protected override void ProcessRecord()
    {
        if (InputObject is not null)
            _input.Add(InputObject);
    }

    protected override void EndProcessing()
    {
        var comparer = new ObjectComparer(CaseSensitive);
        var keys = PropertyArgument.ParseAll(Property);
        // Each key once an object; the sort itself is stable.
        var rows = _input.Select(item => (Item: item, Keys: keys.Count == 0 ? [item] : keys.Select(k => k.Value(item)).ToArray())).ToArray();
        var directions = keys.Count == 0 ? [Descending] : keys.Select(IsDescending).ToArray();
        var sorted = rows.Order(Comparer<(PSObject, object?[] Keys)>.Create((a, b) =>
            a.Keys.Zip(b.Keys, directions).Select(p => comparer.Compare(p.First, p.Second) * (p.Third ? -1 : 1)).FirstOrDefault(c => c != 0)));
        IEnumerable<(PSObject Item, object?[] Keys)> result = sorted;
        if (Unique)
            result = Distinct(sorted, comparer);
        if (Top > 0)
            result = result.Take(Top);
        if (Bottom > 0)
            result = result.TakeLast(Bottom);
        foreach (var (item, _) in result)
            WriteObject(item);
    }

    private bool IsDescending(PropertyArgument key) => key.Has("Descending") ? key.IsTrue("Descending") : key.Has("Ascending") ? !key.IsTrue("Ascending") : Descending;

    private static IEnumerable<(PSObject Item, object?[] Keys)> Distinct(IEnumerable<(PSObject Item, object?[] Keys)> sorted, ObjectComparer comparer)
    {
        object?[]? last = null;
        foreach (var row in sorted)
        {
            if (last is null || row.Keys.Zip(last).Any(p => comparer.Compare(p.First, p.Second) != 0))
                yield return row;
            last = row.Keys;
        }
    }
}
