namespace Sisyphus.Engine.Storage.Google;

/// <summary>A request, made anew for each try.</summary>
/// <param name="Path">Below the endpoint, encoded, with the query; or a whole address for an upload's session.</param>
internal sealed record GoogleRequest(HttpMethod Method, string Path, string Action)
{
    public Func<HttpContent>? Content { get; init; }

    public IReadOnlyList<(string Name, string Value)> Headers { get; init; } = [];

    /// <summary>Answers that are no failure of the request, besides those that say success.</summary>
    public IReadOnlyList<int> Expected { get; init; } = [];

    /// <summary>The content of the answer is read by the caller.</summary>
    public bool Streams { get; init; }
}
