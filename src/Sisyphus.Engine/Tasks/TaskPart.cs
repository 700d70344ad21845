using System.Text.Json;

namespace Sisyphus.Engine.Tasks;

/// <summary>A JSON object of a document. Keys that this version does not know stay with the object they were in, so that a document survives an older node.</summary>
public abstract record TaskPart
{
    private static readonly Dictionary<string, JsonElement> None = [];

    public IReadOnlyDictionary<string, JsonElement> Extensions { get; init; } = None;

    public virtual bool Equals(TaskPart? other) =>
        other is not null && EqualityContract == other.EqualityContract
        && ContentEquality.Of(Extensions, other.Extensions, JsonElement.DeepEquals);

    public override int GetHashCode() => Extensions.Count;
}
