using System.Management.Automation;
using Sisyphus.Host;

namespace Microsoft.PowerShell.Commands;

[Cmdlet("Compare", "Object")]
public sealed class CompareObjectCommand : PSCmdlet
{
    private readonly List<PSObject> _difference = [];

    [Parameter(Position = 0, Mandatory = true)]
    [AllowEmptyCollection]
    public PSObject[] ReferenceObject { get; set; } = [];

    [Parameter(Position = 1, Mandatory = true, ValueFromPipeline = true)]
    [AllowEmptyCollection]
    public PSObject[] DifferenceObject { get; set; } = [];

    [Parameter]
    public object[]? Property { get; set; }

    [Parameter]
    public SwitchParameter IncludeEqual { get; set; }

    [Parameter]
    public SwitchParameter ExcludeDifferent { get; set; }

    [Parameter]
    public SwitchParameter CaseSensitive { get; set; }

    [Parameter]
    public SwitchParameter PassThru { get; set; }

    protected override void ProcessRecord() => _difference.AddRange(DifferenceObject);

    protected override void EndProcessing()
    {
        var keys = PropertyArgument.ParseAll(Property);
        var comparer = new ObjectComparer(CaseSensitive);
        var unmatched = new List<PSObject>(_difference);
        var missing = new List<PSObject>();
        foreach (var item in ReferenceObject)
        {
            var match = unmatched.FindIndex(other => Keys(item).Zip(Keys(other)).All(p => comparer.Compare(p.First, p.Second) == 0));
            if (match < 0)
            {
                missing.Add(item);
                continue;
            }

            unmatched.RemoveAt(match);
            if (IncludeEqual)
                Write(item, "==");
        }

        if (ExcludeDifferent)
            return;
        unmatched.ForEach(item => Write(item, "=>"));
        missing.ForEach(item => Write(item, "<="));

        IEnumerable<object?> Keys(PSObject item) => keys.Count == 0 ? [item] : keys.Select(k => k.Value(item));

        void Write(PSObject item, string side)
        {
            var result = PassThru ? item : new PSObject();
            if (!PassThru && keys.Count == 0)
                result.Properties.Add(new PSNoteProperty("InputObject", item));
            if (!PassThru)
                keys.SelectMany(k => k.Resolve(item)).ToList().ForEach(v => result.Properties.Add(new PSNoteProperty(v.Name, v.Value)));
            result.Properties.Add(new PSNoteProperty("SideIndicator", side));
            WriteObject(result);
        }
    }
}
