using Azure;
using Azure.Core;
using Azure.Identity;
using Azure.Storage;
using Azure.Storage.Blobs;
using Sisyphus.Engine.Tasks;

namespace Sisyphus.Engine.Storage.Azure;

/// <summary>Finds who we are for the service. The earlier first: the location's <c>sas</c>, a connection string, a key, a signature of the environment, then the logins that Azure's own tools know, as far as they neither open a browser nor ask.</summary>
/// <param name="sas">The location's own, or null.</param>
internal sealed class AzureLogin(AzureAccount account, string? sas, Func<string, string?> variable)
{
    public const string ConnectionVariable = "AZURE_STORAGE_CONNECTION_STRING";
    public const string KeyVariable = "AZURE_STORAGE_KEY";
    public const string SasVariable = "AZURE_STORAGE_SAS_TOKEN";

    /// <summary>Of Azure's own logins; null when one was found without them.</summary>
    public TokenCredential? Tokens { get; private set; }

    /// <summary>The signature that requests carry, without <c>?</c>; null where there is none.</summary>
    public string? Signature { get; private set; }

    /// <exception cref="TaskFailureException">There is no account, or what the environment says of it can't be understood.</exception>
    public BlobServiceClient Open(BlobClientOptions options)
    {
        try
        {
            if (sas is null && variable(ConnectionVariable) is { Length: > 0 } connection && Connect(connection, options) is { } connected)
                return connected;
            if (account.Name.Length == 0)
                throw new TaskFailureException(FailureReason.InputDenied, $"No storage account of Azure is known: write az:ACCOUNT, or set {AzureAccount.Variable} or {ConnectionVariable}.");
            if (sas is null && variable(KeyVariable) is { Length: > 0 } key && IsOurs())
                return new BlobServiceClient(account.Address, new StorageSharedKeyCredential(account.Name, key), options);
            if ((sas ?? (IsOurs() ? variable(SasVariable) : null)) is { Length: > 0 } signature)
            {
                Signature = signature.TrimStart('?');
                return new BlobServiceClient(account.Address, new AzureSasCredential(Signature), options);
            }
        }
        catch (FormatException)
        {
            // What it is stays unsaid: it may be half a key.
            throw new TaskFailureException(FailureReason.InputDenied, $"The account's key or connection string in {KeyVariable} or {ConnectionVariable} can't be understood.");
        }
        if (account.Address.Scheme != Uri.UriSchemeHttps)
            throw new TaskFailureException(FailureReason.InputDenied, $"{account.Address.Authority} is asked without TLS, and there no token may be shown: set {KeyVariable} or {ConnectionVariable}.");
        Tokens = new DefaultAzureCredential(Options());
        return new BlobServiceClient(account.Address, Tokens, options);
    }

    /// <summary>A service principal of the environment, a workload identity, a managed identity (asked for once and for a second, where it may not be), and the login of the command line.</summary>
    public static DefaultAzureCredentialOptions Options() => new()
    {
        ExcludeInteractiveBrowserCredential = true,
        ExcludeBrokerCredential = true,
        ExcludeVisualStudioCredential = true,
        ExcludeVisualStudioCodeCredential = true,
        ExcludeAzurePowerShellCredential = true,
        ExcludeAzureDeveloperCliCredential = true,
        CredentialProcessTimeout = TimeSpan.FromSeconds(15),
    };

    // What the environment holds is the secret of its own account.
    private bool IsOurs() => variable(AzureAccount.Variable) is not { Length: > 0 } named || named == account.Name;

    private BlobServiceClient? Connect(string connection, BlobClientOptions options)
    {
        var connected = new BlobServiceClient(connection, options);
        if (account.Name.Length > 0 && connected.AccountName != account.Name)
            return null;
        if (account.Endpoint is null && connected.Uri is { Scheme: "http", IsLoopback: false })
            throw new TaskFailureException(FailureReason.InputDenied, $"{ConnectionVariable} names an address of http: it has to be https, unless it is on this machine.");
        if (account.Endpoint is not { } endpoint)
            return connected;
        var key = connection.Split(';').FirstOrDefault(part => part.StartsWith("AccountKey=", StringComparison.OrdinalIgnoreCase))?["AccountKey=".Length..];
        return key is null ? null : new BlobServiceClient(endpoint, new StorageSharedKeyCredential(connected.AccountName, key), options);
    }
}
