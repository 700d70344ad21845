using RabbitMQ.Client;

namespace Sisyphus.Engine.Queues.RabbitMq.Messages;

/// <summary>A message as it was delivered; its body is a copy, because the client takes the original back.</summary>
internal readonly record struct Incoming(IChannel Channel, ulong Tag, string Queue, IReadOnlyBasicProperties Properties, ReadOnlyMemory<byte> Body);
