namespace Sisyphus.Engine.Queues.RabbitMq;

internal sealed record LeaseCopy(Attachment Attachment, ulong Tag, long Claims, int Epoch);
