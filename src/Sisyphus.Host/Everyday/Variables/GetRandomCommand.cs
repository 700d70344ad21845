using System.Globalization;
using System.Management.Automation;

namespace Microsoft.PowerShell.Commands;

[Cmdlet(VerbsCommon.Get, "Random", DefaultParameterSetName = "RandomNumberParameterSet")]
public sealed class GetRandomCommand : PSCmdlet
{
    private readonly List<object?> _items = [];
    private Random _random = Random.Shared;

    [Parameter]
    public int? SetSeed { get; set; }

    [Parameter(Position = 0, ParameterSetName = "RandomNumberParameterSet")]
    public object? Maximum { get; set; }

    [Parameter(ParameterSetName = "RandomNumberParameterSet")]
    public object? Minimum { get; set; }

    [Parameter(Position = 0, Mandatory = true, ValueFromPipeline = true, ParameterSetName = "RandomListItemParameterSet")]
    [Parameter(Position = 0, Mandatory = true, ValueFromPipeline = true, ParameterSetName = "ShuffleParameterSet")]
    [AllowNull]
    public object?[]? InputObject { get; set; }

    [Parameter]
    [ValidateRange(1, int.MaxValue)]
    public int Count { get; set; } = 1;

    [Parameter(Mandatory = true, ParameterSetName = "ShuffleParameterSet")]
    public SwitchParameter Shuffle { get; set; }

    protected override void ProcessRecord() => _items.AddRange(InputObject ?? []);

    protected override void EndProcessing()
    {
        if (SetSeed is { } seed)
            _random = new Random(seed);
        if (ParameterSetName == "RandomNumberParameterSet")
        {
            for (var i = 0; i < Count; i++)
                WriteObject(Number());
            return;
        }

        var items = _items.ToArray();
        _random.Shuffle(items);
        WriteObject(Shuffle ? items : items.Take(Count), enumerateCollection: true);
    }

    private object Number()
    {
        var maximum = Unwrap(Maximum);
        var minimum = Unwrap(Minimum);
        if (maximum is double or float or decimal || minimum is double or float or decimal)
        {
            var low = Convert.ToDouble(minimum ?? 0, CultureInfo.InvariantCulture);
            return low + (_random.NextDouble() * (Convert.ToDouble(maximum ?? double.MaxValue, CultureInfo.InvariantCulture) - low));
        }

        var (from, to) = (LanguagePrimitives.ConvertTo<long>(minimum ?? 0), LanguagePrimitives.ConvertTo<long>(maximum ?? int.MaxValue));
        if (from >= int.MinValue && to <= int.MaxValue)
            return _random.Next((int)from, (int)to);
        return _random.NextInt64(from, to);
    }

    private static object? Unwrap(object? value) => value is PSObject wrapped ? wrapped.BaseObject : value;
}
