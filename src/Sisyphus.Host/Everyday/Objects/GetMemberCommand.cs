using System.Management.Automation;

namespace Microsoft.PowerShell.Commands;

/// <summary>A row of Get-Member; the engine's format data know it by this name.</summary>
public sealed record MemberDefinition(string TypeName, string Name, PSMemberTypes MemberType, string Definition);

[Cmdlet(VerbsCommon.Get, "Member")]
[OutputType(typeof(MemberDefinition))]
public sealed class GetMemberCommand : PSCmdlet
{
    private readonly HashSet<string> _seen = [];

    [Parameter(ValueFromPipeline = true)]
    public PSObject? InputObject { get; set; }

    [Parameter(Position = 0)]
    public string[] Name { get; set; } = ["*"];

    [Parameter]
    [Alias("Type")]
    public PSMemberTypes MemberType { get; set; } = PSMemberTypes.All;

    [Parameter]
    public SwitchParameter Static { get; set; }

    [Parameter]
    public SwitchParameter Force { get; set; }

    protected override void ProcessRecord()
    {
        if (InputObject is null)
            return;
        var target = Static ? PSObject.AsPSObject(InputObject.BaseObject as Type ?? InputObject.BaseObject.GetType()) : InputObject;
        if (!_seen.Add(target.TypeNames[0]))
            return;
        var names = Name.Select(n => WildcardPattern.Get(n, WildcardOptions.IgnoreCase)).ToArray();
        var found = target.Members
            .Where(m => (m.MemberType & MemberType) != 0 && names.Any(n => n.IsMatch(m.Name)) && (Force || !IsHidden(m.Name)))
            .OrderBy(m => m.MemberType.ToString(), StringComparer.Ordinal).ThenBy(m => m.Name, StringComparer.OrdinalIgnoreCase);
        foreach (var member in found)
            WriteObject(new MemberDefinition(target.TypeNames[0], member.Name, member.MemberType, member.ToString() ?? ""));
    }

    protected override void EndProcessing()
    {
        if (_seen.Count == 0)
            WriteError(new ErrorRecord(new InvalidOperationException("You must specify an object for the Get-Member cmdlet."), "NoObjectInGetMember", ErrorCategory.CloseError, null));
    }

    private static bool IsHidden(string name) =>
        name.StartsWith("get_", StringComparison.Ordinal) || name.StartsWith("set_", StringComparison.Ordinal)
        || name is "psbase" or "psadapted" or "psextended" or "psobject" or "pstypenames";
}
