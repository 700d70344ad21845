namespace Sisyphus.Engine.Queues.RabbitMq.Leasing;

internal sealed record LeaseCopy(Attachment Attachment, ulong Tag, long Claims, int Epoch);
