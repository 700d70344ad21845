using System.Collections;
using System.Management.Automation;
using Sisyphus.Host;

namespace Microsoft.PowerShell.Commands;

[Cmdlet(VerbsCommon.Select, "Object", DefaultParameterSetName = "DefaultParameter")]
public sealed class SelectObjectCommand : PSCmdlet
{
    private readonly Queue<PSObject> _held = new();
    private readonly List<PSObject> _unique = [];
    private IReadOnlyList<PropertyArgument> _properties = [];
    private long _index = -1;
    private long _written;

    [Parameter(ValueFromPipeline = true)]
    public PSObject? InputObject { get; set; }

    [Parameter(Position = 0)]
    public object[]? Property { get; set; }

    [Parameter]
    public string[] ExcludeProperty { get; set; } = [];

    [Parameter]
    public string? ExpandProperty { get; set; }

    [Parameter]
    [ValidateRange(0, int.MaxValue)]
    public int First { get; set; } = -1;

    [Parameter]
    [ValidateRange(0, int.MaxValue)]
    public int Last { get; set; } = -1;

    [Parameter]
    [ValidateRange(0, int.MaxValue)]
    public int Skip { get; set; }

    [Parameter(ParameterSetName = "SkipLast")]
    [ValidateRange(0, int.MaxValue)]
    public int SkipLast { get; set; }

    [Parameter]
    public int[]? Index { get; set; }

    [Parameter]
    public SwitchParameter Unique { get; set; }

    [Parameter]
    public SwitchParameter Wait { get; set; }

    protected override void BeginProcessing()
    {
        _properties = PropertyArgument.ParseAll(Property);
        if (ExcludeProperty.Length > 0 && _properties.Count == 0)
            _properties = PropertyArgument.ParseAll(["*"]);
    }

    protected override void ProcessRecord()
    {
        if (InputObject is null)
            return;
        _index++;
        if (Index is not null)
        {
            if (Index.Contains((int)_index))
                Emit(InputObject);
        }
        else if (Last >= 0)
        {
            // -Skip counts from the end here, as in pwsh.
            _held.Enqueue(InputObject);
            if (First > _written)
                Emit(_held.Dequeue(), count: true);
            else if (_held.Count > Last + Skip)
                _held.Dequeue();
        }
        else if (SkipLast > 0)
        {
            _held.Enqueue(InputObject);
            if (_held.Count > SkipLast)
                Emit(_held.Dequeue());
        }
        else if (_index >= Skip && First != 0)
        {
            Emit(InputObject, count: true);
        }

        if (First >= 0 && Last < 0 && _written >= First && !Wait && !Unique)
            throw EngineInternals.StopUpstream(this);
    }

    protected override void EndProcessing()
    {
        if (Last >= 0)
        {
            foreach (var item in _held.Take(_held.Count - Math.Min(Skip, _held.Count)).TakeLast(Last))
                Emit(item);
        }

        foreach (var item in _unique)
            WriteObject(item);
    }

    private void Emit(PSObject item, bool count = false)
    {
        if (count && First >= 0 && _written >= First)
            return;
        _written++;
        if (ExpandProperty is not null)
            Expand(item);
        else
            Write(_properties.Count == 0 ? item : Shape(item));
    }

    private void Expand(PSObject item)
    {
        var values = new PSPropertyExpression(ExpandProperty!);
        var results = values.ResolveNames(item).SelectMany(n => n.GetValues(item)).ToArray();
        if (results.Length == 0)
        {
            WriteError(new ErrorRecord(
                new PSArgumentException($"Property \"{ExpandProperty}\" cannot be found."), "ExpandPropertyNotFound", ErrorCategory.InvalidArgument, item));
            return;
        }

        foreach (var result in results)
        {
            if (result.Exception is not null)
                WriteError(new ErrorRecord(result.Exception, "PropertyEvaluationExpand", ErrorCategory.InvalidResult, item));
            else if (LanguagePrimitives.GetEnumerable(result.Result) is IEnumerable list)
                list.Cast<object>().ToList().ForEach(v => Write(WithExtra(v, item)));
            else if (result.Result is not null)
                Write(WithExtra(result.Result, item));
        }
    }

    // -Property beside -ExpandProperty adds those properties to what is expanded.
    private PSObject WithExtra(object value, PSObject item)
    {
        var expanded = PSObject.AsPSObject(value);
        foreach (var (name, extra) in _properties.SelectMany(p => p.Resolve(item)))
            expanded.Properties.Add(new PSNoteProperty(name, extra));
        return expanded;
    }

    private PSObject Shape(PSObject item)
    {
        var shaped = new PSObject();
        shaped.TypeNames.Insert(0, "Selected." + item.TypeNames[0]);
        foreach (var property in _properties)
        {
            var resolved = property.Resolve(item).Where(v => !IsExcluded(v.Name)).ToList();
            if (resolved.Count == 0 && !property.Expression.HasWildCardCharacters && !IsExcluded(property.Name ?? property.Expression.ToString()))
                resolved.Add((property.Name ?? property.Expression.ToString(), null));
            foreach (var (name, value) in resolved)
            {
                if (shaped.Properties[name] is null)
                    shaped.Properties.Add(new PSNoteProperty(name, value));
            }
        }

        return shaped;
    }

    private bool IsExcluded(string name) => ExcludeProperty.Any(e => WildcardPattern.Get(e, WildcardOptions.IgnoreCase).IsMatch(name));

    private void Write(PSObject item)
    {
        if (!Unique)
            WriteObject(item);
        else if (!_unique.Exists(u => AreEqual(u, item)))
            _unique.Add(item);
    }

    private bool AreEqual(PSObject a, PSObject b) => _properties.Count == 0 || ExpandProperty is not null
        ? LanguagePrimitives.Equals(a, b)
        : a.Properties.Zip(b.Properties).All(p => LanguagePrimitives.Equals(p.First.Value, p.Second.Value));
}
