namespace Sisyphus.Engine.Settings;

/// <summary>The settings file can't be used. The message names the file, the place in it and what is wrong.</summary>
public sealed class InvalidSettingsException(string message, Exception cause) : Exception(message, cause);
