using Docker.DotNet.Models;

namespace Sisyphus.Engine.Containers.Docker;

/// <summary>One figure out of the engine's messages about single layers.</summary>
internal sealed class PullMeter
{
    private readonly Dictionary<string, (long Bytes, long Total)> _layers = [];

    public PullProgress Add(JSONMessage message)
    {
        var status = message.Status ?? message.Stream?.Trim() ?? "";
        if (message.ID is { Length: > 0 } layer)
        {
            _layers.TryGetValue(layer, out var known);
            _layers[layer] = status switch
            {
                "Downloading" when message.Progress is { } progress => (progress.Current ?? 0, Math.Max(progress.Total ?? 0, 0)),
                // Unpacking counts again from zero: what was loaded stays loaded.
                "Extracting" or "Download complete" or "Pull complete" or "Verifying Checksum" => (known.Total, known.Total),
                _ => known,
            };
        }
        return new(status, _layers.Values.Sum(l => l.Bytes), _layers.Values.Sum(l => l.Total));
    }
}
