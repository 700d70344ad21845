using System.Collections;
using System.Management.Automation;

namespace Microsoft.PowerShell.Commands;

[Cmdlet(VerbsCommon.New, "Object")]
public sealed class NewObjectCommand : PSCmdlet
{
    [Parameter(Position = 0, Mandatory = true)]
    public string TypeName { get; set; } = "";

    [Parameter(Position = 1)]
    [Alias("Args")]
    public object[]? ArgumentList { get; set; }

    [Parameter]
    public IDictionary? Property { get; set; }

    protected override void BeginProcessing()
    {
        if (!LanguagePrimitives.TryConvertTo<Type>(TypeName, out var type))
        {
            ThrowTerminatingError(new ErrorRecord(
                new PSArgumentException($"Cannot find type [{TypeName}]: verify that the assembly containing this type is loaded."), "TypeNotFound", ErrorCategory.InvalidType, null));
        }

        // The language's own [type]::new() chooses the constructor and converts the arguments.
        var create = ScriptBlock.Create("param($type, $arguments) , $type::new.Invoke($arguments)");
        var made = type == typeof(PSObject) || type!.Name == "PSCustomObject"
            ? new PSObject()
            : create.Invoke(type, ArgumentList ?? []).Single();
        foreach (DictionaryEntry entry in Property ?? new Hashtable())
            Set(made, entry.Key.ToString()!, entry.Value);
        WriteObject(made);
    }

    private static void Set(PSObject target, string name, object? value)
    {
        if (target.Properties[name] is { } property)
            property.Value = value;
        else if (target.BaseObject is PSCustomObject)
            target.Properties.Add(new PSNoteProperty(name, value));
        else
            throw new PSArgumentException($"The type has no property '{name}'.");
    }
}
