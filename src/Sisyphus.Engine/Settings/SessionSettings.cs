using Sisyphus.Engine.Storage.Transfers;
using Sisyphus.Engine.Tasks;

namespace Sisyphus.Engine.Settings;

/// <summary>The settings in effect, and of each where it came from.</summary>
public sealed record SessionSettings
{
    public const string BrokerVariable = "SISYPHUS_BROKER";
    public const string StoreVariable = "SISYPHUS_STORE";
    /// <summary>A JSON object: <c>{"scratch": "file:///data/scratch"}</c>.</summary>
    public const string StoreMappingVariable = "SISYPHUS_STORE_MAPPING";
    public const string NodeVariable = "SISYPHUS_NODE";

    /// <summary>May hold a password: <see cref="AddressSecrets.Hide"/> before it is shown.</summary>
    public required string Broker { get; init; }
    public required string Store { get; init; }
    public required IReadOnlyDictionary<string, string> StoreMapping { get; init; }
    /// <summary>Null: found as the docker CLI finds its engine.</summary>
    public required string? Engine { get; init; }
    public required string WorkDirectory { get; init; }
    public required string Node { get; init; }
    /// <summary>How objects are moved.</summary>
    public required TransferOptions Transfers { get; init; }
    public required string SettingsFile { get; init; }
    /// <summary>The same, to read.</summary>
    public required IReadOnlyList<Setting> Settings { get; init; }

    /// <param name="parameters">What the cmdlet was given.</param>
    /// <param name="session">What was set for the session.</param>
    /// <param name="variable">The environment; null for a variable that is not set.</param>
    /// <exception cref="InvalidSettingsException"/>
    public static SessionSettings Resolve(SettingsLayer parameters, SettingsLayer session, Func<string, string?> variable)
    {
        var paths = SettingsPaths.FromEnvironment(variable);
        var environment = new SettingsLayer { Broker = NotEmpty(variable(BrokerVariable)), Store = NotEmpty(variable(StoreVariable)), Node = NotEmpty(variable(NodeVariable)), StoreMapping = Sisyphus.Engine.Settings.SettingsFile.ReadMapping(StoreMappingVariable, NotEmpty(variable(StoreMappingVariable))) };
        var defaults = new SettingsLayer { Broker = "sqlite:" + paths.Queue, Store = paths.Store, WorkDirectory = paths.Work, Node = Environment.MachineName, TransferMemory = SizeText.Format(TransferOptions.DefaultMemory), TransferConcurrency = TransferOptions.DefaultConcurrency };
        var resolver = new LayerResolver(paths.SettingsFile,
        [
            (SettingSource.Parameter, parameters),
            (SettingSource.Session, session),
            (SettingSource.Environment, environment),
            (SettingSource.File, Sisyphus.Engine.Settings.SettingsFile.Read(paths.SettingsFile)),
            (SettingSource.Default, defaults),
        ]);
        var work = resolver.Take(nameof(WorkDirectory), layer => layer.WorkDirectory)!;
        return new SessionSettings
        {
            Broker = resolver.Take(nameof(Broker), layer => layer.Broker, BrokerVariable)!,
            Store = resolver.Take(nameof(Store), layer => layer.Store, StoreVariable)!,
            StoreMapping = resolver.TakeMapping(nameof(StoreMapping), layer => layer.StoreMapping, StoreMappingVariable),
            Engine = resolver.Take(nameof(Engine), layer => layer.Engine),
            WorkDirectory = work,
            Node = resolver.Take(nameof(Node), layer => layer.Node, NodeVariable)!,
            Transfers = TransferSettings.Resolve(resolver, work),
            SettingsFile = resolver.SettingsFile,
            Settings = resolver.Settings,
        };
    }

    /// <summary>Without secrets, as records are printed by accident.</summary>
    public override string ToString() => string.Join(", ", Settings.Select(setting => $"{setting.Name} = {setting.Value}"));

    private static string? NotEmpty(string? value) => string.IsNullOrEmpty(value) ? null : value;
}
