using System.Management.Automation;

namespace Sisyphus.Host;

/// <summary><c>-Scope</c> by name, through the prefix that a variable's name may have; scopes by number need the full pwsh.</summary>
internal static class VariableScope
{
    public static string Qualify(string name, string? scope) => scope?.ToUpperInvariant() switch
    {
        null or "" => name,
        "0" or "LOCAL" => $"local:{name}",
        "SCRIPT" or "GLOBAL" or "PRIVATE" => $"{scope}:{name}",
        _ => throw new PSNotSupportedException($"The scope '{scope}' is not in this host, which has Local, Script, Global and 0: run the script with pwsh."),
    };
}
