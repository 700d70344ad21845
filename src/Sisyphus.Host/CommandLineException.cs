namespace Sisyphus.Host;

internal sealed class CommandLineException(string message) : Exception(message);
