using System.Text.RegularExpressions;

namespace Sisyphus.Engine.Tasks;

/// <summary>The name of a task that never changes: <c>[A-Za-z0-9._-]{1,128}</c>, but not only dots.</summary>
/// <remarks>It becomes a part of object keys and of queue headers, where a segment of dots means another place.</remarks>
public static partial class TaskId
{
    /// <summary>A new id that sorts by the time of its making: a UUID version 7 (RFC 9562) in its usual text form.</summary>
    public static string New() => Guid.CreateVersion7().ToString();

    public static bool IsValid(string? id) => id is not null && Form().IsMatch(id);

    [GeneratedRegex(@"\A(?!\.+\z)[A-Za-z0-9._-]{1,128}\z", RegexOptions.CultureInvariant)]
    private static partial Regex Form();
}
