using System.Globalization;
using System.Text.Json;

namespace Sisyphus.Engine.Tasks.Reading;

/// <summary>Values of the types that documents have; each wrong one is an error that names the right form, and null or the default here.</summary>
internal static class ValueReader
{
    internal static string? String(this ReadContext context, SourceValue value, string example)
    {
        if (value.Kind == JsonValueKind.String)
        {
            if (!value.Text.Contains('\0', StringComparison.Ordinal))
                return value.Text;
            context.Error(value, "a string may not contain a NUL character");
            return null;
        }
        context.WrongType(value, $"a string such as \"{example}\"",
            value.Kind is JsonValueKind.Number or JsonValueKind.True or JsonValueKind.False ? $": write it in quotes, \"{Literal(value)}\"" : "");
        return null;
    }

    internal static bool? Boolean(this ReadContext context, SourceValue value)
    {
        if (value.Kind is JsonValueKind.True or JsonValueKind.False)
            return value.Kind == JsonValueKind.True;
        context.WrongType(value, "true or false", value.Kind == JsonValueKind.String ? ": write it without quotes" : "");
        return null;
    }

    internal static long? Integer(this ReadContext context, SourceValue value, long minimum, long maximum)
    {
        var form = $"an integer from {minimum} to {maximum}";
        if (value.Kind != JsonValueKind.Number)
        {
            context.WrongType(value, form, value.Kind == JsonValueKind.String ? ": write it without quotes" : "");
            return null;
        }
        // 3.0 is the integer 3, as in JSON schema: some serialisers write all numbers so.
        if (decimal.TryParse(value.Text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number)
            && decimal.IsInteger(number) && number >= minimum && number <= maximum)
        {
            return (long)number;
        }
        context.Error(value, $"expected {form}, but found {Literal(value)}");
        return null;
    }

    internal static double? Number(this ReadContext context, SourceValue value, double minimum, double maximum)
    {
        var form = string.Create(CultureInfo.InvariantCulture, $"a number from {minimum} to {maximum}");
        if (value.Kind != JsonValueKind.Number)
        {
            context.WrongType(value, form, value.Kind == JsonValueKind.String ? ": write it without quotes" : "");
            return null;
        }
        var number = double.Parse(value.Text, CultureInfo.InvariantCulture);
        if (number >= minimum && number <= maximum)
            return number;
        context.Error(value, $"expected {form}, but found {Literal(value)}");
        return null;
    }

    internal static IReadOnlyList<SourceMember>? Object(this ReadContext context, SourceValue value, string form)
    {
        if (value.Kind == JsonValueKind.Object)
            return value.Members;
        context.WrongType(value, form);
        return null;
    }

    internal static IReadOnlyList<SourceValue>? Array(this ReadContext context, SourceValue value, string form)
    {
        if (value.Kind == JsonValueKind.Array)
            return value.Items;
        context.WrongType(value, form);
        return null;
    }

    internal static void WrongType(this ReadContext context, SourceValue value, string form, string hint = "") =>
        context.Error(value, value.Kind == JsonValueKind.Null
            ? $"expected {form}, but found null: leave the key out instead"
            : $"expected {form}, but found {value.Description}{hint}");

    /// <summary>A scalar as the document has it, cut where it is long.</summary>
    private static string Literal(SourceValue value)
    {
        const int longest = 40;
        var text = value.Kind == JsonValueKind.Number ? value.Text : value.Description;
        return text.Length <= longest ? text : text[..longest] + "…";
    }
}
