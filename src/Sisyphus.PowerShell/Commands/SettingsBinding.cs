using System.Buffers;
using System.Collections;
using System.Management.Automation;
using System.Net;

using Sisyphus.Engine.Queues;
using Sisyphus.Engine.Settings;
using Sisyphus.Engine.Storage;
using Sisyphus.Engine.Tasks;
using Sisyphus.PowerShell.Documents;

using Broker = Sisyphus.Engine.Queues.RabbitMq.Connections.BrokerAddress;

namespace Sisyphus.PowerShell.Commands;

/// <summary>From parameters to settings. A setting that can't be used ends the command: nothing that follows could work.</summary>
internal static class SettingsBinding
{
    private const string SqliteScheme = "sqlite:";
    private static readonly SearchValues<char> SchemeCharacters = SearchValues.Create("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+");

    public static SessionSettings ResolveSettings(this PSCmdlet cmdlet, SettingsLayer parameters)
    {
        try
        {
            return Session.Resolve(parameters);
        }
        catch (InvalidSettingsException e)
        {
            cmdlet.ThrowTerminatingError(ErrorRecords.InvalidSetting(e, null));
            throw;
        }
    }

    public static ObjectStores OpenStores(this PSCmdlet cmdlet, SessionSettings settings)
    {
        try
        {
            return ObjectStores.Open(settings.Store, settings.StoreMapping, settings.Transfers);
        }
        catch (FormatException e)
        {
            cmdlet.ThrowTerminatingError(ErrorRecords.InvalidSetting(e, AddressSecrets.Hide(settings.Store)));
            throw;
        }
    }

    /// <param name="credential">What the cmdlet was given; null for that of the session.</param>
    /// <exception cref="PipelineStoppedException">After a terminating error: no queue can be opened with the settings.</exception>
    public static ITaskQueue OpenQueue(this PSCmdlet cmdlet, SessionSettings settings, PSCredential? credential, QueueOptions? options = null)
    {
        var shown = AddressSecrets.Hide(settings.Broker);
        try
        {
            var given = credential.ToNetworkCredential();
            if (given is not null && !Broker.IsBroker(settings.Broker))
                throw new ArgumentException($"A credential is for a broker (amqp://, amqps://); the queue is {shown}. Name a broker, or leave the credential out.", nameof(credential));
            options ??= new QueueOptions();
            options.Credential = given ?? Session.CredentialFor(settings.Broker);
            return TaskQueues.Open(settings.Broker, options);
        }
        catch (Exception e) when (e is FormatException or ArgumentException)
        {
            // Whoever made the message may have shown the address as it is.
            var error = e.Message.Contains(settings.Broker, StringComparison.Ordinal) && shown != settings.Broker
                ? new FormatException(e.Message.Replace(settings.Broker, shown, StringComparison.Ordinal))
                : e;
            cmdlet.ThrowTerminatingError(ErrorRecords.InvalidSetting(error, shown));
            throw;
        }
    }

    // Not GetNetworkCredential, which cuts a name at its @ or backslash: to a broker they are part of it.
    public static NetworkCredential? ToNetworkCredential(this PSCredential? credential) =>
        credential is null || credential == PSCredential.Empty ? null : new NetworkCredential(credential.UserName, credential.Password);

    /// <summary>An address as it is, but for the file of an embedded queue, whose path may be relative to the session's location.</summary>
    public static string? BrokerAddress(this PSCmdlet cmdlet, string? address) =>
        address?.StartsWith(SqliteScheme, StringComparison.OrdinalIgnoreCase) == true && address.Length > SqliteScheme.Length
            ? SqliteScheme + cmdlet.Folder(address[SqliteScheme.Length..])
            : address;

    /// <summary>A duration that a parameter gives as a document would; ends the command when it is none, or out of range.</summary>
    public static TimeSpan? Duration(this PSCmdlet cmdlet, string? text, string name, TimeSpan least, TimeSpan most)
    {
        if (text is null)
            return null;
        if (DurationText.TryParse(text, out var duration, out _) && duration >= least && duration <= most)
            return duration;
        cmdlet.ThrowTerminatingError(ErrorRecords.InvalidSetting(new ArgumentException($"{name} is '{text}'; allowed: a duration such as 90s, 5m, 1h or PT1H30M, {least} to {most}.", name), text));
        return null;
    }

    /// <summary>A location as it is, or a folder (relative ones from the session's location) as its full path.</summary>
    public static string? StoreLocation(this PSCmdlet cmdlet, string? location) =>
        string.IsNullOrEmpty(location) || IsLocation(cmdlet, location) ? location : cmdlet.Folder(location);

    public static Dictionary<string, string>? StoreMapping(this PSCmdlet cmdlet, IDictionary? mapping) =>
        mapping is null ? null : PowerShellValue.Entries(mapping)!.ToDictionary(
            entry => entry.Key, entry => cmdlet.StoreLocation(PowerShellValue.Text(entry.Value)) ?? "", StringComparer.Ordinal);

    /// <summary>The full path of a folder that a parameter names; ends the command when it is no path of the file system.</summary>
    public static string? Folder(this PSCmdlet cmdlet, string? folder)
    {
        if (string.IsNullOrEmpty(folder))
            return null;
        var path = cmdlet.SessionState.Path.GetUnresolvedProviderPathFromPSPath(folder, out var provider, out _);
        if (provider.Name != SessionPaths.FileSystem)
            cmdlet.ThrowTerminatingError(ErrorRecords.NotAFileSystemPath(folder, provider.Name));
        return path;
    }

    // "gs:", "file:///srv" and the like, unless it is a drive of the session ("C:", "Temp:").
    private static bool IsLocation(PSCmdlet cmdlet, string text)
    {
        var colon = text.IndexOf(':', StringComparison.Ordinal);
        return colon > 0 && text.AsSpan(0, colon).IndexOfAnyExcept(SchemeCharacters) < 0 && !cmdlet.HasDrive(text[..colon]);
    }
}
