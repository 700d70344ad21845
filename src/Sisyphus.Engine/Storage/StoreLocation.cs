namespace Sisyphus.Engine.Storage;

/// <summary>Where a store of a cloud is, as settings write it: <c>gs:</c>, <c>gs://BUCKET/PREFIX</c>, <c>az:ACCOUNT</c>, <c>az:ACCOUNT/CONTAINER</c>, each with <c>?option=value&amp;…</c>.</summary>
/// <param name="Scheme">Lower case.</param>
/// <param name="Account">The account before the bucket; empty where there is none.</param>
/// <param name="Bucket">Empty for all buckets.</param>
/// <param name="Prefix">Of every key in the bucket: empty or with a trailing <c>/</c>.</param>
/// <param name="Options">Percent-decoded; names compare without case.</param>
internal sealed record StoreLocation(string Scheme, string Account, string Bucket, string Prefix, IReadOnlyDictionary<string, string> Options)
{
    /// <exception cref="FormatException">The message says what is wrong, without values of options, which may be secret.</exception>
    public static StoreLocation Parse(string text)
    {
        var (address, query) = Cut(text, '?');
        var (scheme, rest) = Cut(address, ':');
        scheme = scheme.ToLowerInvariant();
        var account = "";
        if (rest.StartsWith("//", StringComparison.Ordinal))
            rest = rest[2..];
        else
            (account, rest) = Cut(rest, '/');
        var (bucket, prefix) = Cut(rest, '/');
        if (bucket.Length == 0 && prefix.Length > 0)
            throw new FormatException($"'{address}' names no bucket: write {scheme}://BUCKET/PREFIX.");
        if (prefix.Split('/') is [.., _] segments && segments.Any(segment => segment is "." or ".."))
            throw new FormatException($"'{address}': '.' and '..' can't be parts of a prefix.");
        return new StoreLocation(scheme, account, bucket, prefix.Length == 0 || prefix.EndsWith('/') ? prefix : prefix + "/", ParseOptions(address, query));
    }

    /// <summary>The value of an option, or null.</summary>
    public string? Option(string name) => Options.GetValueOrDefault(name);

    /// <exception cref="FormatException">Not <c>true</c> or <c>false</c>.</exception>
    public bool Flag(string name) => Option(name)?.ToLowerInvariant() switch
    {
        null or "false" => false,
        "true" => true,
        _ => throw new FormatException($"The option '{name}' of a {Scheme}: location is true or false."),
    };

    /// <exception cref="FormatException">No absolute address of http or https without a user.</exception>
    public Uri? Address(string name)
    {
        if (Option(name) is not { } text)
            return null;
        if (!Uri.TryCreate(text, UriKind.Absolute, out var address) || address.Scheme is not ("http" or "https") || address.UserInfo.Length > 0)
            throw new FormatException($"The option '{name}' of a {Scheme}: location is an address such as https://host:port, without a user.");
        return address;
    }

    /// <exception cref="FormatException">An option that the store does not know.</exception>
    public StoreLocation Allow(params string[] names)
    {
        var unknown = Options.Keys.FirstOrDefault(option => !names.Contains(option, StringComparer.OrdinalIgnoreCase));
        return unknown is null ? this : throw new FormatException($"A {Scheme}: location has no option '{unknown}'; there are {string.Join(", ", names)}.");
    }

    /// <summary>The same for all buckets: locations that differ in nothing else share one store.</summary>
    public StoreLocation WithoutBucket() => this with { Bucket = "", Prefix = "" };

    /// <summary>Without options, which may be secret.</summary>
    public override string ToString() => Account.Length > 0
        ? $"{Scheme}:{Account}{(Bucket.Length > 0 ? $"/{Bucket}/{Prefix}" : "")}"
        : $"{Scheme}:{(Bucket.Length > 0 ? $"//{Bucket}/{Prefix}" : "")}";

    /// <summary>Equal for locations that one store object serves.</summary>
    public string Identity => $"{ToString()}?{string.Join('&', Options.OrderBy(option => option.Key, StringComparer.OrdinalIgnoreCase).Select(option => $"{option.Key.ToLowerInvariant()}={option.Value}"))}";

    private static Dictionary<string, string> ParseOptions(string address, string query)
    {
        var options = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        foreach (var part in query.Split('&', StringSplitOptions.RemoveEmptyEntries))
        {
            var (name, value) = Cut(part, '=');
            if (!options.TryAdd(Uri.UnescapeDataString(name), Uri.UnescapeDataString(value)))
                throw new FormatException($"'{address}' has the option '{name}' twice.");
        }
        return options;
    }

    private static (string Before, string After) Cut(string text, char separator)
    {
        var at = text.IndexOf(separator, StringComparison.Ordinal);
        return at < 0 ? (text, "") : (text[..at], text[(at + 1)..]);
    }
}
