namespace Sisyphus.Engine.Storage;

/// <summary>What a store needs to go on with an upload that broke: by another try or, where the caller keeps it, another process.</summary>
/// <param name="token">As an earlier upload of the same content saved it; null for none.</param>
/// <param name="saved">Told each new token; null when there is nothing to go on with any more.</param>
public sealed class UploadState(string? token = null, Action<string?>? saved = null)
{
    /// <summary>Opaque to everybody but the store. May let its holder write the object: it is as secret as a password.</summary>
    public string? Token { get; private set; } = token;

    /// <summary>Bytes of the content that the store is known to hold; grows as an upload goes on.</summary>
    public long Confirmed { get; set; }

    /// <summary>Somebody keeps the tokens for longer than the upload's own call.</summary>
    internal bool IsKept => saved is not null;

    /// <summary>How the store forgets what was begun; null where nothing is left of it that anybody pays for.</summary>
    internal Func<Task>? Abandon { get; set; }

    /// <summary>The store can go on from here.</summary>
    public void Save(string token) => Set(token);

    /// <summary>Nobody will go on.</summary>
    internal async Task GiveUpAsync()
    {
        if (Token is not null && Abandon is { } abandon)
            await abandon().ConfigureAwait(false);
        Clear();
    }

    /// <summary>The upload has ended, or what was begun is no longer there.</summary>
    public void Clear()
    {
        if (Token is not null)
            Set(null);
    }

    private void Set(string? value)
    {
        Token = value;
        saved?.Invoke(value);
    }
}
