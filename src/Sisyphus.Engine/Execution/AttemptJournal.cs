using System.Text.Json;

using Sisyphus.Engine.Tasks;

namespace Sisyphus.Engine.Execution;

/// <summary>What is needed to tidy up the stores after an attempt whose process was killed: lies in its workspace, and is gone with it.</summary>
internal sealed record AttemptJournal(string Task, string Attempt, IReadOnlyList<string> Outputs)
{
    public const string FileName = "attempt.json";

    public void Write(string workspace) => File.WriteAllBytes(Path.Combine(workspace, FileName), JsonSerializer.SerializeToUtf8Bytes(this));

    /// <returns>Null where there is none, or the process was killed while it wrote it: nothing was staged then.</returns>
    public static AttemptJournal? Read(string workspace)
    {
        try
        {
            return JsonSerializer.Deserialize<AttemptJournal>(File.ReadAllBytes(Path.Combine(workspace, FileName)));
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or JsonException)
        {
            return null;
        }
    }

    /// <summary>Remote paths of the document's outputs; the first says where the decision is.</summary>
    public IReadOnlyList<RemotePath> Remotes() => [.. Outputs.Select(RemotePath.Parse)];
}
