namespace Sisyphus.Tests.Integration.Nodes.Stores;

/// <summary>What a node asks a store for on the way of a task, as far as tests stop it there.</summary>
public enum StoreStep
{
    /// <summary>Content of an input.</summary>
    Fetch,
    /// <summary>A small output, staged.</summary>
    Stage,
    /// <summary>A chunk of the large output.</summary>
    StageChunk,
    Decide,
    /// <summary>A staged object's copy to its final key.</summary>
    Promote,
    /// <summary>The decision is marked done, which the small outputs of one attempt have gone before.</summary>
    MarkDone,
    /// <summary>A small output, straight to its final key.</summary>
    Send,
    Any,
}
