namespace Sisyphus.Engine.Queues;

/// <summary>What a node says of itself when it joins.</summary>
/// <param name="Name"><c>[A-Za-z0-9._-]{1,128}</c>; stable over restarts.</param>
/// <param name="Cpus">Processors that its tasks may have together.</param>
/// <param name="Memory">Bytes likewise.</param>
/// <param name="Software">Name and version.</param>
public sealed record NodeRegistration(string Name, int Concurrency, double Cpus, long Memory, string Software, TimeSpan HeartbeatInterval)
{
    public string Machine { get; init; } = Environment.MachineName;
    public int ProcessId { get; init; } = Environment.ProcessId;
}
