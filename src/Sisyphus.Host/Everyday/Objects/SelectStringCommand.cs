using System.Management.Automation;
using System.Text;
using System.Text.RegularExpressions;
using Sisyphus.Host;

namespace Microsoft.PowerShell.Commands;

/// <summary>A line that Select-String found.</summary>
public sealed record MatchInfo(string Path, int LineNumber, string Line, string Pattern, bool IgnoreCase, Match[] Matches)
{
    public string Filename => System.IO.Path.GetFileName(Path);

    public override string ToString() => Path == "InputStream" ? Line : $"{Path}:{LineNumber}:{Line}";
}

[Cmdlet(VerbsCommon.Select, "String", DefaultParameterSetName = "File")]
[OutputType(typeof(MatchInfo), typeof(bool), typeof(string))]
public sealed class SelectStringCommand : PSCmdlet
{
    private Regex[] _patterns = [];
    private int _line;
    private bool _found;

    [Parameter(Mandatory = true, ValueFromPipeline = true, ParameterSetName = "Object")]
    [AllowNull]
    [AllowEmptyString]
    public PSObject? InputObject { get; set; }

    [Parameter(Mandatory = true, Position = 0)]
    public string[] Pattern { get; set; } = [];

    [Parameter(Mandatory = true, Position = 1, ParameterSetName = "File")]
    public string[] Path { get; set; } = [];

    [Parameter(Mandatory = true, ParameterSetName = "LiteralFile", ValueFromPipelineByPropertyName = true)]
    [Alias("PSPath", "LP")]
    public string[] LiteralPath { get; set; } = [];

    [Parameter]
    public SwitchParameter SimpleMatch { get; set; }

    [Parameter]
    public SwitchParameter CaseSensitive { get; set; }

    [Parameter]
    public SwitchParameter AllMatches { get; set; }

    [Parameter]
    public SwitchParameter NotMatch { get; set; }

    [Parameter]
    public SwitchParameter List { get; set; }

    [Parameter]
    public SwitchParameter Quiet { get; set; }

    [Parameter]
    public SwitchParameter Raw { get; set; }

    [Parameter]
    [TextEncoding]
    public Encoding Encoding { get; set; } = TextEncodings.Default;

    protected override void BeginProcessing()
    {
        var options = CaseSensitive ? RegexOptions.CultureInvariant : RegexOptions.IgnoreCase | RegexOptions.CultureInvariant;
        _patterns = [.. Pattern.Select(p => new Regex(SimpleMatch ? Regex.Escape(p) : p, options))];
    }

    protected override void ProcessRecord()
    {
        if (ParameterSetName == "Object")
        {
            _line++;
            Look("InputStream", _line, InputObject is null ? "" : LanguagePrimitives.ConvertTo<string>(InputObject));
            return;
        }

        var files = LiteralPath.Select(WildcardPattern.Escape).Concat(Path).SelectMany(p => SessionState.Path.GetResolvedProviderPathFromPSPath(p, out _));
        foreach (var file in files.Where(File.Exists))
        {
            var number = 0;
            foreach (var line in File.ReadLines(file, Encoding))
            {
                if (Look(file, ++number, line) && (List || Quiet))
                    break;
            }
        }
    }

    protected override void EndProcessing()
    {
        if (Quiet)
            WriteObject(_found);
    }

    private bool Look(string path, int number, string line)
    {
        var pattern = Array.FindIndex(_patterns, p => p.IsMatch(line));
        if (pattern >= 0 == NotMatch)
            return false;
        _found = true;
        if (Quiet)
            return true;
        Match[] matches = pattern < 0 ? [] : AllMatches ? [.. _patterns[pattern].Matches(line).Cast<Match>()] : [_patterns[pattern].Match(line)];
        if (Raw)
            WriteObject(line);
        else
            WriteObject(new MatchInfo(path, number, line, Pattern[Math.Max(pattern, 0)], !CaseSensitive, matches));
        return true;
    }
}
