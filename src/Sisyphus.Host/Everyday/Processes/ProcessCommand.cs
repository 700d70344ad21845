using System.Diagnostics;
using System.Globalization;
using System.Management.Automation;

namespace Microsoft.PowerShell.Commands;

/// <summary>A command on processes, by name, by id or as objects; one that is not there is an error of its own.</summary>
public abstract class ProcessCommand : PSCmdlet
{
    [Parameter(Mandatory = true, ParameterSetName = "Id", ValueFromPipelineByPropertyName = true)]
    [Alias("PID")]
    public int[] Id { get; set; } = [];

    [Parameter(Mandatory = true, ParameterSetName = "InputObject", ValueFromPipeline = true)]
    public Process[] InputObject { get; set; } = [];

    protected abstract IReadOnlyList<string> Names { get; }

    protected override void ProcessRecord() => Process(ParameterSetName switch
    {
        "Id" => [.. Id.SelectMany(ById)],
        "InputObject" => InputObject,
        _ => [.. Names.SelectMany(ByName)],
    });

    protected abstract void Process(IEnumerable<Process> processes);

    private IEnumerable<Process> ById(int id)
    {
        try
        {
            return [System.Diagnostics.Process.GetProcessById(id)];
        }
        catch (ArgumentException)
        {
            NotFound("NoProcessFoundForGivenId", $"Cannot find a process with the process identifier {id.ToString(CultureInfo.InvariantCulture)}.", id);
            return [];
        }
    }

    private Process[] ByName(string name)
    {
        var pattern = WildcardPattern.Get(name, WildcardOptions.IgnoreCase);
        var found = System.Diagnostics.Process.GetProcesses().Where(p => pattern.IsMatch(p.ProcessName)).ToArray();
        if (found.Length == 0 && !WildcardPattern.ContainsWildcardCharacters(name))
            NotFound("NoProcessFoundForGivenName", $"Cannot find a process with the name \"{name}\". Verify the process name and call the cmdlet again.", name);
        return found;
    }

    private void NotFound(string id, string message, object target) =>
        WriteError(new ErrorRecord(new InvalidOperationException(message), id, ErrorCategory.ObjectNotFound, target));
}
