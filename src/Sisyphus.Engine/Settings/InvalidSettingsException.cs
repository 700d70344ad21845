namespace Sisyphus.Engine.Settings;

/// <summary>A setting can't be used. The message says what is wrong and, for the settings file, where.</summary>
public sealed class InvalidSettingsException(string message, Exception? cause = null) : Exception(message, cause);
