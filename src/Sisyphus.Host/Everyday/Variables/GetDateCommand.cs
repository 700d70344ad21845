using System.Globalization;
using System.Management.Automation;

namespace Microsoft.PowerShell.Commands;

[Cmdlet(VerbsCommon.Get, "Date")]
[OutputType(typeof(DateTime), typeof(string))]
public sealed class GetDateCommand : PSCmdlet
{
    [Parameter(Position = 0, ValueFromPipeline = true)]
    public DateTime? Date { get; set; }

    [Parameter]
    [Alias("UnixTime")]
    public long? UnixTimeSeconds { get; set; }

    [Parameter]
    public string? Format { get; set; }

    [Parameter]
    public SwitchParameter AsUTC { get; set; }

    protected override void ProcessRecord()
    {
        var date = UnixTimeSeconds is { } seconds ? DateTimeOffset.FromUnixTimeSeconds(seconds).LocalDateTime : Date ?? DateTime.Now;
        if (AsUTC)
            date = date.ToUniversalTime();
        WriteObject(Format is null ? date : Text(date, Format));
    }

    private static string Text(DateTime date, string format) => format.ToUpperInvariant() switch
    {
        "FILEDATE" => date.ToString("yyyyMMdd", CultureInfo.InvariantCulture),
        "FILEDATETIME" => date.ToString("yyyyMMdd\\THHmmssffff", CultureInfo.InvariantCulture),
        "FILEDATEUNIVERSAL" => date.ToUniversalTime().ToString("yyyyMMdd\\Z", CultureInfo.InvariantCulture),
        "FILEDATETIMEUNIVERSAL" => date.ToUniversalTime().ToString("yyyyMMdd\\THHmmssffff\\Z", CultureInfo.InvariantCulture),
        _ => date.ToString(format, CultureInfo.CurrentCulture),
    };
}
