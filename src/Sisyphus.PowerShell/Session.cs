using System.Management.Automation.Runspaces;
using System.Runtime.CompilerServices;

using Sisyphus.Engine.Settings;

namespace Sisyphus.PowerShell;

/// <summary>What <c>Connect-Sisyphus</c> set: for one runspace, not for the process, which may hold several sessions.</summary>
internal static class Session
{
    private static readonly ConditionalWeakTable<Runspace, SettingsLayer> Layers = [];

    public static SettingsLayer Current
    {
        get => Runspace.DefaultRunspace is { } runspace && Layers.TryGetValue(runspace, out var layer) ? layer : SettingsLayer.Empty;
        set => Layers.AddOrUpdate(Runspace.DefaultRunspace, value);
    }

    /// <exception cref="InvalidSettingsException">The settings file.</exception>
    public static SessionSettings Resolve(SettingsLayer parameters) =>
        SessionSettings.Resolve(parameters, Current, Environment.GetEnvironmentVariable);
}
