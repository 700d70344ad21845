using System.Collections;
using System.Management.Automation;
using Sisyphus.Host;

namespace Microsoft.PowerShell.Commands;

/// <summary>What Group-Object returns for each value.</summary>
public sealed class GroupInfo
{
    internal GroupInfo(IReadOnlyList<object?> values) => Values = [.. values];

    public int Count { get; internal set; }

    public string Name => string.Join(", ", Values.Select(v => v is null ? "" : LanguagePrimitives.ConvertTo<string>(v)));

    public List<PSObject> Group { get; } = [];

    public List<object?> Values { get; }
}

[Cmdlet("Group", "Object")]
[OutputType(typeof(GroupInfo))]
public sealed class GroupObjectCommand : PSCmdlet
{
    private readonly List<GroupInfo> _groups = [];
    private IReadOnlyList<PropertyArgument> _keys = [];
    private ObjectComparer _comparer = null!;

    [Parameter(ValueFromPipeline = true)]
    public PSObject? InputObject { get; set; }

    [Parameter(Position = 0)]
    public object[]? Property { get; set; }

    [Parameter]
    public SwitchParameter NoElement { get; set; }

    [Parameter]
    [Alias("AHT")]
    public SwitchParameter AsHashTable { get; set; }

    [Parameter]
    public SwitchParameter AsString { get; set; }

    [Parameter]
    public SwitchParameter CaseSensitive { get; set; }

    protected override void BeginProcessing()
    {
        _keys = PropertyArgument.ParseAll(Property);
        _comparer = new ObjectComparer(CaseSensitive);
    }

    protected override void ProcessRecord()
    {
        if (InputObject is null)
            return;
        object?[] values = _keys.Count == 0 ? [InputObject] : [.. _keys.Select(k => k.Value(InputObject))];
        var group = _groups.Find(g => g.Values.Zip(values).All(p => _comparer.Compare(p.First, p.Second) == 0));
        if (group is null)
            _groups.Add(group = new GroupInfo(values));
        group.Count++;
        if (!NoElement)
            group.Group.Add(InputObject);
    }

    protected override void EndProcessing()
    {
        if (!AsHashTable)
        {
            WriteObject(_groups.OrderBy(g => g.Values[0], _comparer), enumerateCollection: true);
            return;
        }

        var table = new Hashtable(CaseSensitive ? StringComparer.Ordinal : StringComparer.OrdinalIgnoreCase);
        foreach (var group in _groups)
            table[AsString || group.Values.Count > 1 ? group.Name : group.Values[0] is PSObject key ? key.BaseObject : group.Values[0] ?? ""] = group.Group;
        WriteObject(table);
    }
}
