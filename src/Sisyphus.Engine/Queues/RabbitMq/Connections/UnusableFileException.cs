namespace Sisyphus.Engine.Queues.RabbitMq.Connections;

/// <summary>A certificate, key or authority that the address names is of no use; the message is a clause that says which and why.</summary>
internal sealed class UnusableFileException(string message, Exception? cause = null) : Exception(message, cause);
