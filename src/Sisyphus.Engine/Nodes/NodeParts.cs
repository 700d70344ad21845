using Sisyphus.Engine.Execution;

namespace Sisyphus.Engine.Nodes;

/// <summary>What the parts of one running node share.</summary>
internal sealed record NodeParts
{
    public required NodeOptions Options { get; init; }
    public required TimeProvider Time { get; init; }
    public required Workshop Workshop { get; init; }
    public required NodeEvents Events { get; init; }
    public required Standing Standing { get; init; }
    public required QueueLine Line { get; init; }
    public required NodeHealth Health { get; init; }
    public required Runs Runs { get; init; }
}
