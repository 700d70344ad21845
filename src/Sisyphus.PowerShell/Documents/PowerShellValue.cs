using System.Collections;
using System.Globalization;
using System.Management.Automation;

namespace Sisyphus.PowerShell.Documents;

/// <summary>What a PowerShell value is beneath its wrappers.</summary>
internal static class PowerShellValue
{
    public static object? Unwrap(object? value) => value switch
    {
        // A custom object's properties live on the wrapper, not on its base object.
        PSObject { BaseObject: PSCustomObject } wrapper => wrapper,
        PSObject wrapper => wrapper.BaseObject,
        _ => value,
    };

    /// <summary>Names and values of a hashtable, an ordered dictionary or a custom object, in their order; null for anything else.</summary>
    public static IEnumerable<KeyValuePair<string, object?>>? Entries(object? value) => Unwrap(value) switch
    {
        IDictionary dictionary => Entries(dictionary),
        PSObject custom => custom.Properties.Select(property => KeyValuePair.Create(property.Name, (object?)property.Value)),
        _ => null,
    };

    /// <summary>The elements of a list; null for text, dictionaries and single values.</summary>
    public static IEnumerable<object?>? Elements(object? value) => Unwrap(value) switch
    {
        string or IDictionary or PSObject => null,
        IEnumerable list => list.Cast<object?>(),
        _ => null,
    };

    /// <summary>The text of a single value, in the invariant culture as PowerShell converts.</summary>
    public static string Text(object? value) => Unwrap(value) switch
    {
        null => "",
        string text => text,
        // The wrapper of a literal on a command line remembers how it was written: 1.0, not 1.
        _ => (string)LanguagePrimitives.ConvertTo(value, typeof(string), CultureInfo.InvariantCulture),
    };

    private static IEnumerable<KeyValuePair<string, object?>> Entries(IDictionary dictionary)
    {
        foreach (DictionaryEntry entry in dictionary)
            yield return KeyValuePair.Create(Text(entry.Key), entry.Value);
    }
}
