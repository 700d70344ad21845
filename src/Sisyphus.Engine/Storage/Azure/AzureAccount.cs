using Azure.Storage.Blobs;

namespace Sisyphus.Engine.Storage.Azure;

/// <summary>Which account is meant, and where it is.</summary>
/// <param name="Name">Empty where nobody has said.</param>
/// <param name="Endpoint">Null for the account's own address.</param>
internal sealed record AzureAccount(string Name, Uri? Endpoint)
{
    public const string Variable = "AZURE_STORAGE_ACCOUNT";

    /// <exception cref="FormatException">An account or address that can't be one.</exception>
    public static AzureAccount Find(StoreLocation location, Func<string, string?> variable)
    {
        var endpoint = location.Address("endpoint");
        // In the clear only to this machine: a key or token is worth as much as the data.
        if (endpoint is { Scheme: "http", IsLoopback: false })
            throw new FormatException("The option 'endpoint' of an az: location has to be https, unless it is on this machine.");
        var name = location.Account.Length > 0 ? location.Account : endpoint is not null ? new BlobUriBuilder(endpoint).AccountName : variable(Variable) ?? "";
        if (name.Length > 0 && (name.Length is < 3 or > 24 || !name.All(char.IsAsciiLetterOrDigit) || name.Any(char.IsAsciiLetterUpper)))
            throw new FormatException($"'{name}' can't be a storage account of Azure: its name has 3 to 24 lower-case letters and digits.");
        return new AzureAccount(name, endpoint);
    }

    public Uri Address => Endpoint ?? new Uri($"https://{Name}.blob.core.windows.net");
}
