using System.Collections;
using System.Management.Automation;

namespace Microsoft.PowerShell.Commands;

[Cmdlet(VerbsCommon.Add, "Member", DefaultParameterSetName = "TypeNameSet")]
public sealed class AddMemberCommand : PSCmdlet
{
    [Parameter(Mandatory = true, ValueFromPipeline = true)]
    public PSObject InputObject { get; set; } = null!;

    [Parameter(Mandatory = true, Position = 0, ParameterSetName = "MemberSet")]
    [Alias("Type")]
    public PSMemberTypes MemberType { get; set; }

    [Parameter(Mandatory = true, Position = 1, ParameterSetName = "MemberSet")]
    public string? Name { get; set; }

    [Parameter(Position = 2, ParameterSetName = "MemberSet")]
    public object? Value { get; set; }

    [Parameter(Position = 3, ParameterSetName = "MemberSet")]
    public object? SecondValue { get; set; }

    [Parameter(Mandatory = true, Position = 0, ParameterSetName = "NotePropertySingleMemberSet")]
    public string? NotePropertyName { get; set; }

    [Parameter(Mandatory = true, Position = 1, ParameterSetName = "NotePropertySingleMemberSet")]
    [AllowNull]
    public object? NotePropertyValue { get; set; }

    [Parameter(Mandatory = true, Position = 0, ParameterSetName = "NotePropertyMultiMemberSet")]
    public IDictionary? NotePropertyMembers { get; set; }

    [Parameter]
    public string? TypeName { get; set; }

    [Parameter]
    public SwitchParameter Force { get; set; }

    [Parameter]
    public SwitchParameter PassThru { get; set; }

    protected override void ProcessRecord()
    {
        foreach (var member in Members())
        {
            if (Force && InputObject.Members[member.Name] is { IsInstance: true })
                InputObject.Members.Remove(member.Name);
            if (!Force && InputObject.Members[member.Name] is not null)
            {
                WriteError(new ErrorRecord(
                    new InvalidOperationException($"Cannot add a member with the name \"{member.Name}\" because a member with that name already exists. To overwrite the member anyway, add the Force parameter to your command."),
                    "MemberAlreadyExists", ErrorCategory.InvalidOperation, InputObject));
                return;
            }

            InputObject.Members.Add(member);
        }

        if (TypeName is not null)
            InputObject.TypeNames.Insert(0, TypeName);
        if (PassThru)
            WriteObject(InputObject);
    }

    private IEnumerable<PSMemberInfo> Members()
    {
        if (NotePropertyMembers is not null)
            return NotePropertyMembers.Cast<DictionaryEntry>().Select(e => (PSMemberInfo)new PSNoteProperty(e.Key.ToString(), e.Value));
        if (NotePropertyName is not null)
            return [new PSNoteProperty(NotePropertyName, NotePropertyValue)];
        return Name is null ? [] : [Member()];
    }

    private PSMemberInfo Member()
    {
        var value = Value is PSObject wrapped ? wrapped.BaseObject : Value;
        return MemberType switch
        {
            PSMemberTypes.NoteProperty => new PSNoteProperty(Name, Value),
            PSMemberTypes.ScriptProperty => new PSScriptProperty(Name, (ScriptBlock)value!, SecondValue as ScriptBlock),
            PSMemberTypes.ScriptMethod => new PSScriptMethod(Name, (ScriptBlock)value!),
            PSMemberTypes.AliasProperty => new PSAliasProperty(Name, LanguagePrimitives.ConvertTo<string>(value)),
            _ => throw new PSNotSupportedException($"Add-Member of this host adds NoteProperty, ScriptProperty, ScriptMethod and AliasProperty, not {MemberType}."),
        };
    }
}
