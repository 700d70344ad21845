using System.Management.Automation;

namespace Sisyphus.PowerShell.Commands;

/// <summary>What PowerShell's common parameters say, where a cmdlet has to know before it writes.</summary>
internal static class CommonParameters
{
    public static bool IsVerbose(this PSCmdlet cmdlet) =>
        cmdlet.MyInvocation.BoundParameters.TryGetValue("Verbose", out var given)
            ? LanguagePrimitives.IsTrue(given)
            : cmdlet.GetVariableValue("VerbosePreference") is ActionPreference preference
              && preference is not (ActionPreference.SilentlyContinue or ActionPreference.Ignore);
}
