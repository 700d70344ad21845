using System.Management.Automation;
using Sisyphus.Host;

namespace Microsoft.PowerShell.Commands;

/// <summary>A command on items, named by wildcards or literally; an item that fails is an error of its own.</summary>
public abstract class ItemCommand : PSCmdlet
{
    [Parameter(Position = 0, Mandatory = true, ValueFromPipeline = true, ValueFromPipelineByPropertyName = true, ParameterSetName = "Path")]
    public string[] Path { get; set; } = [];

    [Parameter(Mandatory = true, ValueFromPipelineByPropertyName = true, ParameterSetName = "LiteralPath")]
    [Alias("PSPath", "LP")]
    public string[] LiteralPath { get; set; } = [];

    [Parameter]
    public SwitchParameter Force { get; set; }

    protected bool IsLiteral => ParameterSetName == "LiteralPath";

    protected override void ProcessRecord()
    {
        foreach (var path in IsLiteral ? LiteralPath : Path)
            Try(path, () => Process(path));
    }

    protected abstract void Process(string path);

    private protected void Try(object target, Action action)
    {
        try
        {
            action();
        }
        catch (Exception e) when (EverydayErrors.IsItemError(e))
        {
            WriteError(e.ToRecord(target));
        }
    }

    /// <summary>The paths that a name stands for; a name without wildcards that leads nowhere is an error.</summary>
    private protected IEnumerable<PathInfo> Resolve(string path) =>
        SessionState.Path.GetResolvedPSPathFromPSPath(IsLiteral ? WildcardPattern.Escape(path) : path);

    /// <summary>The files that a name stands for, as the operating system knows them.</summary>
    private protected IEnumerable<string> ResolveFiles(string path)
    {
        var resolved = SessionState.Path.GetResolvedProviderPathFromPSPath(IsLiteral ? WildcardPattern.Escape(path) : path, out var provider);
        return provider.Name == "FileSystem" ? resolved : throw new NotSupportedException($"'{path}' is not in the file system.");
    }
}
