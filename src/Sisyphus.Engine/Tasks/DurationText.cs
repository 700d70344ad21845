using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace Sisyphus.Engine.Tasks;

/// <summary>Spans of time as people write them: <c>90</c> (seconds), <c>90m</c>, <c>1h30m</c>, <c>1.5h</c>, and ISO 8601 (<c>PT1H30M</c>).</summary>
/// <remarks>Kept to the millisecond. Units: d, h, m, s, ms; each at most once, the larger first; only the last may have a fraction.
/// ISO 8601 without years and months, whose length differs.</remarks>
public static partial class DurationText
{
    private const string Forms = "write seconds (90), a duration such as \"90m\", \"1h30m\" or \"1.5h\" (units d, h, m, s, ms), or ISO 8601 such as \"PT1H30M\"";

    private static readonly (string Group, decimal Milliseconds)[] Units =
        [("w", 604_800_000), ("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1)];

    /// <exception cref="FormatException">The message names the allowed forms.</exception>
    public static TimeSpan Parse(string text) => TryParse(text, out var value, out var error) ? value : throw new FormatException(error);

    public static bool TryParse(string? text, out TimeSpan value, [NotNullWhen(false)] out string? error)
    {
        value = default;
        var match = Short().Match(text ?? "");
        if (!match.Success)
            match = Iso().Match(text ?? "");
        if (!match.Success)
        {
            error = $"\"{text}\" is no duration: {Forms}";
            return false;
        }
        return TrySum(match, out value, out error);
    }

    /// <summary>The seconds of a JSON number.</summary>
    internal static bool TryFromSeconds(string seconds, out TimeSpan value)
    {
        value = default;
        return decimal.TryParse(seconds, NumberStyles.Float, CultureInfo.InvariantCulture, out var number)
            && Math.Abs(number) < (decimal)TimeSpan.MaxValue.TotalSeconds && FromMilliseconds(number * 1000, out value);
    }

    /// <summary>The shortest form with units, for example <c>1h30m</c>; what is below a millisecond is left out.</summary>
    public static string Format(TimeSpan value)
    {
        var text = new StringBuilder(value < TimeSpan.Zero ? "-" : "");
        value = value.Duration();
        Append(value.Days, "d");
        Append(value.Hours, "h");
        Append(value.Minutes, "m");
        Append(value.Seconds, "s");
        Append(value.Milliseconds, "ms");
        return text.Length == 0 ? "0s" : text.ToString();

        void Append(int number, string unit)
        {
            if (number != 0)
                text.Append(number).Append(unit);
        }
    }

    private static bool TrySum(Match match, out TimeSpan value, [NotNullWhen(false)] out string? error)
    {
        value = default;
        var sum = 0m;
        foreach (var (group, milliseconds) in Units)
        {
            var number = match.Groups[group];
            if (!number.Success)
                continue;
            var digits = number.Value.Replace(',', '.');
            if (!decimal.TryParse(digits, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var count) || count > (decimal)TimeSpan.MaxValue.TotalMilliseconds)
            {
                error = $"\"{match.Value}\" is too long a duration";
                return false;
            }
            sum += count * milliseconds;
        }
        error = FromMilliseconds(sum, out value) ? null : $"\"{match.Value}\" is too long a duration";
        return error is null;
    }

    private static bool FromMilliseconds(decimal milliseconds, out TimeSpan value)
    {
        value = default;
        if (Math.Abs(milliseconds) >= (decimal)TimeSpan.MaxValue.TotalMilliseconds)
            return false;
        value = TimeSpan.FromTicks((long)Math.Round(milliseconds) * TimeSpan.TicksPerMillisecond);
        return true;
    }

    // A fraction has to be the last: it is followed by its unit and the end. At least one unit: the look-ahead wants a digit.
    [GeneratedRegex(@"\A(?=[0-9])(?:(?<s>[0-9]+(?:\.[0-9]+)?)|(?:(?<d>[0-9]+(?:\.[0-9]+(?=d\z))?)d ?)?(?:(?<h>[0-9]+(?:\.[0-9]+(?=h\z))?)h ?)?(?:(?<m>[0-9]+(?:\.[0-9]+(?=m\z))?)m(?!s) ?)?(?:(?<s>[0-9]+(?:\.[0-9]+(?=s\z))?)s ?)?(?:(?<ms>[0-9]+)ms)?)(?<! )\z", RegexOptions.CultureInvariant)]
    private static partial Regex Short();

    [GeneratedRegex(@"\AP(?=[0-9T])(?:(?<w>[0-9]+(?:[.,][0-9]+(?=W\z))?)W)?(?:(?<d>[0-9]+(?:[.,][0-9]+(?=D\z))?)D)?(?:T(?=[0-9])(?:(?<h>[0-9]+(?:[.,][0-9]+(?=H\z))?)H)?(?:(?<m>[0-9]+(?:[.,][0-9]+(?=M\z))?)M)?(?:(?<s>[0-9]+(?:[.,][0-9]+(?=S\z))?)S)?)?\z", RegexOptions.CultureInvariant)]
    private static partial Regex Iso();
}
