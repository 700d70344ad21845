using Sisyphus.Engine.Tasks;

namespace Sisyphus.Engine.Queues;

internal readonly record struct OutputText(DateTimeOffset Time, OutputStream Stream, string Line);
