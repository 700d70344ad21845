namespace Sisyphus.Engine.Tasks.Reading;

/// <summary>The key that was likely meant.</summary>
internal static class Suggestion
{
    /// <summary>What other systems (docker, compose, Kubernetes, TES, CWL) call our keys.</summary>
    private static readonly Dictionary<string, string> OtherNames = new(StringComparer.OrdinalIgnoreCase)
    {
        ["args"] = "command", ["argv"] = "command", ["cmd"] = "command", ["entrypoint"] = "command", ["run"] = "command",
        ["executors"] = "commands", ["steps"] = "commands",
        ["environment"] = "env", ["variables"] = "env",
        ["container"] = "image", ["dockerImage"] = "image",
        ["labels"] = "tags", ["limits"] = "resources",
        ["mounts"] = "inputs", ["volumes"] = "inputs", ["in"] = "inputs", ["out"] = "outputs",
        ["cwd"] = "workdir", ["workingDir"] = "workdir", ["workingDirectory"] = "workdir", ["working_dir"] = "workdir",
        ["maxRetries"] = "retries", ["timeLimit"] = "timeout", ["maxTime"] = "timeout",
        ["cpu"] = "cpus", ["cores"] = "cpus", ["mem"] = "memory", ["ram"] = "memory", ["storage"] = "disk",
        ["gpu"] = "gpus", ["shm_size"] = "shm", ["shmSize"] = "shm", ["sharedMemory"] = "shm",
        ["rw"] = "writable", ["checksum"] = "sha256", ["digest"] = "sha256", ["hash"] = "sha256", ["target"] = "path", ["mount"] = "path", ["continueOnError"] = "ignoreError",
        ["ignore_error"] = "ignoreError",
    };

    internal static string? For(string word, IReadOnlyList<string> known)
    {
        if (OtherNames.TryGetValue(word, out var other) && known.Contains(other))
            return other;
        // A short word is near to too many others for two edits.
        var farthest = word.Length <= 4 ? 1 : 2;
        return known
            .Select(candidate => (candidate, distance: Distance(word.ToLowerInvariant(), candidate.ToLowerInvariant(), farthest)))
            .Where(pair => pair.distance <= farthest)
            .OrderBy(pair => pair.distance)
            .Select(pair => pair.candidate)
            .FirstOrDefault();
    }

    /// <summary>Optimal string alignment: insertions, deletions, replacements, swaps of neighbours. More than <paramref name="farthest"/> is not told apart.</summary>
    private static int Distance(string left, string right, int farthest)
    {
        if (Math.Abs(left.Length - right.Length) > farthest)
            return farthest + 1;
        var rows = new int[left.Length + 1, right.Length + 1];
        for (var i = 0; i <= left.Length; i++)
            rows[i, 0] = i;
        for (var j = 0; j <= right.Length; j++)
            rows[0, j] = j;
        for (var i = 1; i <= left.Length; i++)
        {
            for (var j = 1; j <= right.Length; j++)
            {
                var cost = left[i - 1] == right[j - 1] ? 0 : 1;
                rows[i, j] = Math.Min(Math.Min(rows[i - 1, j] + 1, rows[i, j - 1] + 1), rows[i - 1, j - 1] + cost);
                if (i > 1 && j > 1 && left[i - 1] == right[j - 2] && left[i - 2] == right[j - 1])
                    rows[i, j] = Math.Min(rows[i, j], rows[i - 2, j - 2] + 1);
            }
        }
        return rows[left.Length, right.Length];
    }
}
