using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text.RegularExpressions;

namespace Sisyphus.Engine.Tasks;

/// <summary>Numbers of bytes as people write them: <c>512MiB</c>, <c>1.5GB</c>, <c>64k</c>, <c>1048576</c>.</summary>
/// <remarks>As in IEC 80000-13 and Kubernetes, and unlike in <c>docker run</c>: k, M, G, T, P are powers of 1000, Ki, Mi, Gi, Ti, Pi of 1024.
/// The letter B is optional, upper and lower case are the same. A fraction is rounded to the nearest byte.</remarks>
public static partial class SizeText
{
    private const string Prefixes = "kmgtp";
    private const string Forms = "write bytes (1048576) or a number with a unit: kB, MB, GB, TB, PB (powers of 1000) or KiB, MiB, GiB, TiB, PiB (powers of 1024)";

    /// <exception cref="FormatException">The message names the allowed forms.</exception>
    public static long Parse(string text) => TryParse(text, out var bytes, out var error) ? bytes : throw new FormatException(error);

    public static bool TryParse(string? text, out long bytes, [NotNullWhen(false)] out string? error)
    {
        bytes = 0;
        var match = Form().Match(text ?? "");
        if (!match.Success)
        {
            error = $"\"{text}\" is no size: {Forms}";
            return false;
        }
        var unit = Unit(match.Groups["prefix"].Value, match.Groups["binary"].Success);
        // Decimal, since above 2^53 a double is no longer exact. The first comparison keeps the product within its range.
        if (!decimal.TryParse(match.Groups["number"].ValueSpan, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number)
            || number > long.MaxValue || number * unit > long.MaxValue)
        {
            error = $"\"{text}\" is too large a size";
            return false;
        }
        bytes = (long)Math.Round(number * unit, MidpointRounding.AwayFromZero);
        error = null;
        return true;
    }

    /// <summary>The shortest exact form: <c>512MiB</c>, <c>1500MB</c>, <c>1000001</c>.</summary>
    public static string Format(long bytes)
    {
        for (var power = Prefixes.Length - 1; power >= 0 && bytes != 0; power--)
        {
            var prefix = char.ToUpperInvariant(Prefixes[power]);
            if (bytes % Unit(Prefixes[power..(power + 1)], true) == 0)
                return string.Create(CultureInfo.InvariantCulture, $"{bytes / Unit(Prefixes[power..(power + 1)], true)}{prefix}iB");
            if (bytes % Unit(Prefixes[power..(power + 1)], false) == 0)
                return string.Create(CultureInfo.InvariantCulture, $"{bytes / Unit(Prefixes[power..(power + 1)], false)}{(power == 0 ? 'k' : prefix)}B");
        }
        return bytes.ToString(CultureInfo.InvariantCulture);
    }

    private static long Unit(string prefix, bool binary)
    {
        var unit = 1L;
        for (var power = prefix.Length == 0 ? 0 : Prefixes.IndexOf(prefix, StringComparison.OrdinalIgnoreCase) + 1; power > 0; power--)
            unit *= binary ? 1024 : 1000;
        return unit;
    }

    [GeneratedRegex(@"\A(?<number>[0-9]+(?:\.[0-9]+)?) ?(?:(?<prefix>[kmgtp])(?<binary>i)?)?b?\z", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex Form();
}
