using System.Collections;
using System.Management.Automation;
using System.Management.Automation.Language;

using Sisyphus.Engine.Settings;

namespace Sisyphus.PowerShell.Completers;

public sealed class SettingNameCompleter : IArgumentCompleter
{
    public IEnumerable<CompletionResult> CompleteArgument(string commandName, string parameterName, string wordToComplete, CommandAst commandAst, IDictionary fakeBoundParameters)
    {
        try
        {
            return [.. Session.Resolve(SettingsLayer.Empty).Settings
                .Where(setting => setting.Name.StartsWith(wordToComplete, StringComparison.OrdinalIgnoreCase))
                .Select(setting => new CompletionResult(setting.Name, setting.Name, CompletionResultType.ParameterValue, setting.Value))];
        }
        catch (InvalidSettingsException)
        {
            return [];
        }
    }
}
