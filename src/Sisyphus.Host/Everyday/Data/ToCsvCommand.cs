using System.Collections;
using System.Management.Automation;
using Sisyphus.Host;

namespace Microsoft.PowerShell.Commands;

/// <summary>What ConvertTo-Csv and Export-Csv share. The first object's properties are the columns.</summary>
public abstract class ToCsvCommand : PSCmdlet
{
    private string[]? _columns;

    public enum QuoteKind
    {
        Never,
        Always,
        AsNeeded,
    }

    [Parameter(Mandatory = true, ValueFromPipeline = true)]
    public PSObject InputObject { get; set; } = null!;

    [Parameter]
    public char Delimiter { get; set; } = ',';

    [Parameter]
    [Alias("NTI")]
    public SwitchParameter NoTypeInformation { get; set; }

    [Parameter]
    public SwitchParameter NoHeader { get; set; }

    [Parameter]
    public QuoteKind UseQuotes { get; set; } = QuoteKind.Always;

    protected virtual bool WritesHeader => !NoHeader;

    protected override void ProcessRecord()
    {
        if (_columns is null)
        {
            _columns = InputObject.BaseObject is IDictionary table
                ? [.. table.Keys.Cast<object>().Select(k => k.ToString()!)]
                : [.. InputObject.Properties.Select(p => p.Name)];
            if (WritesHeader)
                WriteLine(Line(_columns));
        }

        WriteLine(Line(_columns.Select(Value)));
    }

    protected abstract void WriteLine(string line);

    private object? Value(string column) => InputObject.BaseObject is IDictionary table ? table[column] : InputObject.Properties[column]?.Value;

    private string Line(IEnumerable<object?> values) => UseQuotes == QuoteKind.Never
        ? string.Join(Delimiter, values.Select(v => v is null ? "" : LanguagePrimitives.ConvertTo<string>(v)))
        : CsvText.Line(values, Delimiter, UseQuotes == QuoteKind.Always);
}
