using Sisyphus.Engine.Tasks;

namespace Sisyphus.Engine.Queues;

public sealed record SentTask(TaskDocument Task, SendOutcome Outcome);
