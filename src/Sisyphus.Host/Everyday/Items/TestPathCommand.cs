using System.Management.Automation;
using Sisyphus.Host;

namespace Microsoft.PowerShell.Commands;

public enum TestPathType
{
    Any,
    Container,
    Leaf,
}

[Cmdlet(VerbsDiagnostic.Test, "Path", DefaultParameterSetName = "Path")]
[OutputType(typeof(bool))]
public sealed class TestPathCommand : PSCmdlet
{
    [Parameter(Position = 0, Mandatory = true, ValueFromPipeline = true, ValueFromPipelineByPropertyName = true, ParameterSetName = "Path")]
    [AllowNull]
    [AllowEmptyString]
    [AllowEmptyCollection]
    public string?[]? Path { get; set; }

    [Parameter(Mandatory = true, ValueFromPipelineByPropertyName = true, ParameterSetName = "LiteralPath")]
    [Alias("PSPath", "LP")]
    public string[] LiteralPath { get; set; } = [];

    [Parameter]
    [Alias("Type")]
    public TestPathType PathType { get; set; }

    [Parameter]
    public SwitchParameter IsValid { get; set; }

    protected override void ProcessRecord()
    {
        var literal = ParameterSetName == "LiteralPath";
        foreach (var path in literal ? LiteralPath : Path ?? [])
            WriteObject(!string.IsNullOrWhiteSpace(path) && (IsValid ? SessionState.Path.IsValid(path) : Exists(path, literal)));
    }

    private bool Exists(string path, bool literal)
    {
        try
        {
            if (!InvokeProvider.Item.Exists(path, force: true, literal))
                return false;
            return PathType == TestPathType.Any
                || InvokeProvider.Item.Get([path], force: true, literal).Any(i => i.Properties["PSIsContainer"]?.Value is true == (PathType == TestPathType.Container));
        }
        catch (Exception e) when (EverydayErrors.IsItemError(e))
        {
            // A drive that is not there, a name that cannot be: nothing is there.
            return false;
        }
    }
}
