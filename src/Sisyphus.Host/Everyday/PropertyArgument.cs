using System.Collections;
using System.Management.Automation;
using Microsoft.PowerShell.Commands;

namespace Sisyphus.Host;

/// <summary>An element of a <c>-Property</c> argument: a name, a wildcard, a script block, or a hashtable of name and expression.</summary>
internal sealed class PropertyArgument
{
    private readonly Hashtable _options = new(StringComparer.OrdinalIgnoreCase);

    private PropertyArgument(string? name, PSPropertyExpression expression)
    {
        Name = name;
        Expression = expression;
    }

    /// <summary>The label that the hashtable gives; null where the property's own name stands.</summary>
    public string? Name { get; }

    public PSPropertyExpression Expression { get; }

    public bool IsTrue(string option) => LanguagePrimitives.IsTrue(_options[option]);

    public bool Has(string option) => _options.ContainsKey(option);

    public static IReadOnlyList<PropertyArgument> ParseAll(IEnumerable<object>? arguments) => [.. (arguments ?? []).Select(Parse)];

    /// <summary>The values for one object; a property it does not have has none.</summary>
    public IEnumerable<(string Name, object? Value)> Resolve(PSObject target)
    {
        foreach (var found in Expression.ResolveNames(target))
        {
            foreach (var result in found.GetValues(target))
                yield return (Name ?? found.ToString(), result.Exception is null ? result.Result : null);
        }
    }

    /// <summary>The first value, null where there is none.</summary>
    public object? Value(PSObject target) => Resolve(target).Select(r => r.Value).FirstOrDefault();

    private static PropertyArgument Parse(object argument)
    {
        argument = argument is PSObject wrapped ? wrapped.BaseObject : argument;
        if (argument is not IDictionary table)
            return new(null, Expressed(argument));
        string? name = null;
        object? expression = null;
        var options = new Hashtable(StringComparer.OrdinalIgnoreCase);
        foreach (DictionaryEntry entry in table)
        {
            var key = entry.Key.ToString()!;
            if (Is(key, "Name") || Is(key, "Label"))
                name = entry.Value?.ToString();
            else if (Is(key, "Expression"))
                expression = entry.Value;
            else
                options[key] = entry.Value;
        }

        var parsed = new PropertyArgument(name, Expressed(expression ?? name ?? throw new PSArgumentException("The hashtable of a property names no Expression.")));
        foreach (DictionaryEntry option in options)
            parsed._options.Add(option.Key, option.Value);
        return parsed;
    }

    // pwsh takes every beginning of a key's name: N, E, Expr.
    private static bool Is(string key, string whole) => key.Length > 0 && whole.StartsWith(key, StringComparison.OrdinalIgnoreCase);

    private static PSPropertyExpression Expressed(object value) => value switch
    {
        PSObject wrapped => Expressed(wrapped.BaseObject),
        ScriptBlock script => new PSPropertyExpression(script),
        _ => new PSPropertyExpression(value.ToString()!),
    };
}
