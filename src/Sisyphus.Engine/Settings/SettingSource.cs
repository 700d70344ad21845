namespace Sisyphus.Engine.Settings;

/// <summary>Where a setting came from; the earlier wins.</summary>
public enum SettingSource
{
    Parameter,
    /// <summary>Set for the session, by <c>Connect-Sisyphus</c>.</summary>
    Session,
    Environment,
    File,
    Default,
}
