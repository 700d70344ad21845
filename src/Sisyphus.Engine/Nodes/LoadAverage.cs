using System.Globalization;

namespace Sisyphus.Engine.Nodes;

/// <summary>How busy the machine is.</summary>
internal static class LoadAverage
{
    /// <returns>Over one minute; null where the system has none.</returns>
    public static double? Read()
    {
        try
        {
            return OperatingSystem.IsLinux() && double.TryParse(File.ReadAllText("/proc/loadavg").Split(' ')[0], CultureInfo.InvariantCulture, out var load) ? load : null;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
