using System.Collections.Concurrent;

namespace Sisyphus.Tests.StoreEmulator.S3;

/// <summary>The temporary credentials that are known.</summary>
public sealed class S3Sessions
{
    private readonly ConcurrentDictionary<string, S3Session> _known = [];

    public int Count => _known.Count;

    public S3Session? Find(string accessKey) => _known.GetValueOrDefault(accessKey);

    /// <summary>Makes new ones.</summary>
    public S3Session Issue()
    {
        var id = Guid.NewGuid().ToString("N").ToUpperInvariant();
        return _known["ASIA" + id[..16]] = new S3Session("ASIA" + id[..16], "secret-of-a-session/" + id, "token-of-a-session/" + id);
    }

    /// <summary>All of now are over, whatever they were told.</summary>
    public void End()
    {
        foreach (var session in _known.Values)
            session.IsOver = true;
    }
}
