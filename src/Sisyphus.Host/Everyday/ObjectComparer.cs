using System.Management.Automation;

namespace Sisyphus.Host;

/// <summary>Orders values as PowerShell's own operators do; what cannot be compared is compared as text.</summary>
internal sealed class ObjectComparer(bool caseSensitive) : IComparer<object?>
{
    public int Compare(object? x, object? y)
    {
        if (LanguagePrimitives.TryCompare(x, y, !caseSensitive, out var order))
            return order;
        return string.Compare(Text(x), Text(y), caseSensitive ? StringComparison.CurrentCulture : StringComparison.CurrentCultureIgnoreCase);
    }

    private static string? Text(object? value) => value is null ? null : LanguagePrimitives.ConvertTo<string>(value);
}
