using System.Management.Automation.Runspaces;
using System.Net;
using System.Runtime.CompilerServices;

using Sisyphus.Engine.Settings;

namespace Sisyphus.PowerShell;

/// <summary>What <c>Connect-Sisyphus</c> set: for one runspace, not for the process, which may hold several sessions.</summary>
internal static class Session
{
    private static readonly ConditionalWeakTable<Runspace, State> States = [];

    public static SettingsLayer Current => Here?.Layer ?? SettingsLayer.Empty;

    private static State? Here => Runspace.DefaultRunspace is { } runspace && States.TryGetValue(runspace, out var state) ? state : null;

    /// <param name="credential">Kept in memory only.</param>
    public static void Set(SettingsLayer layer, SessionCredential? credential) => States.AddOrUpdate(Runspace.DefaultRunspace, new State(layer, credential));

    /// <summary>Null where the session has none for this broker.</summary>
    public static NetworkCredential? CredentialFor(string broker) => Here?.Credential?.For(broker);

    /// <exception cref="InvalidSettingsException">The settings file.</exception>
    public static SessionSettings Resolve(SettingsLayer parameters) =>
        SessionSettings.Resolve(parameters, Current, Environment.GetEnvironmentVariable);

    private sealed record State(SettingsLayer Layer, SessionCredential? Credential);
}
