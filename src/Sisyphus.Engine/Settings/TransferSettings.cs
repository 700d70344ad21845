using System.Globalization;

using Sisyphus.Engine.Storage.Transfers;
using Sisyphus.Engine.Tasks;

namespace Sisyphus.Engine.Settings;

/// <summary>The settings of transfers as options.</summary>
internal static class TransferSettings
{
    private const string JournalFolder = "uploads";

    /// <exception cref="InvalidSettingsException">A value is no size, or out of its range.</exception>
    public static TransferOptions Resolve(LayerResolver resolver, string workDirectory)
    {
        var memory = resolver.Take(nameof(SettingsLayer.TransferMemory), layer => layer.TransferMemory)!;
        var connections = resolver.Take(nameof(SettingsLayer.TransferConcurrency), layer => layer.TransferConcurrency?.ToString(CultureInfo.InvariantCulture))!;
        if (!SizeText.TryParse(memory, out var bytes, out var error))
            throw new InvalidSettingsException($"{nameof(SettingsLayer.TransferMemory)}: {error}");
        var options = new TransferOptions
        {
            Memory = bytes,
            Concurrency = int.Parse(connections, CultureInfo.InvariantCulture),
            JournalFolder = Path.IsPathFullyQualified(workDirectory) ? Path.Combine(workDirectory, JournalFolder) : null,
        };
        try
        {
            options.Validate();
        }
        catch (ArgumentException e)
        {
            throw new InvalidSettingsException($"A setting of transfers can't be used: {e.Message}", e);
        }
        return options;
    }
}
