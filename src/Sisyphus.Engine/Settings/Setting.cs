namespace Sisyphus.Engine.Settings;

/// <summary>One setting in effect, to read.</summary>
/// <param name="Name">As in <see cref="SettingsLayer"/>; <c>StoreMapping.BUCKET</c> for one bucket of the mapping.</param>
/// <param name="Value">Without secrets.</param>
/// <param name="Origin">The variable or file that says so; empty for the other sources.</param>
public sealed record Setting(string Name, string Value, SettingSource Source, string Origin);
