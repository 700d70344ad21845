using System.Security.Authentication;

namespace Sisyphus.Engine.Queues.RabbitMq.Connections;

/// <summary>The broker's certificate was not accepted; the message is a clause that says why and what to do.</summary>
internal sealed class RefusedCertificateException(string message, Exception cause) : AuthenticationException(message, cause);
