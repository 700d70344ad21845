using Sisyphus.Engine.Tasks;

namespace Sisyphus.Engine.Queues.Sqlite;

/// <summary>A task just leased.</summary>
internal sealed record Claim(HeldTask Task, long Lease, TaskDocument Document, IReadOnlyList<string> Warnings, DateTimeOffset Sent);
