using System.Text.RegularExpressions;

namespace Sisyphus.Engine.Tasks;

/// <summary>What a workflow may be called.</summary>
/// <remarks>Its queue is named after it; AMQP 0-9-1 reserves names that begin with <c>amq.</c> (section 3.1.3.1 of its model).</remarks>
public static partial class WorkflowName
{
    public const string Allowed = "1 to 128 letters, digits, dots, hyphens and underscores, the first a letter or digit, not beginning with 'amq.'";

    public static bool IsValid(string? name) => name is not null && Form().IsMatch(name);

    [GeneratedRegex(@"\A(?!amq\.)[A-Za-z0-9][A-Za-z0-9._-]{0,127}\z", RegexOptions.CultureInvariant)]
    private static partial Regex Form();
}
