using System.Text.Json;

using Google.Apis.Auth.OAuth2;

namespace Sisyphus.Engine.Google;

/// <summary>Application default credentials, looked for as Google's own libraries do.</summary>
/// <remarks>
/// https://cloud.google.com/docs/authentication/application-default-credentials. The order is ours to walk because the library's look-up keeps its
/// first result for the whole process: a login that is made or renewed while a node runs would never be seen.
/// </remarks>
internal sealed class GoogleLoginFinder(GoogleSurroundings surroundings)
{
    public const string FileVariable = "GOOGLE_APPLICATION_CREDENTIALS";
    public const string MetadataServerKind = "metadata_server";

    // The first is what a bucket needs, the second what Artifact Registry asks for; a credential with fixed scopes keeps its own.
    private static readonly string[] Scopes = ["https://www.googleapis.com/auth/devstorage.read_write", "https://www.googleapis.com/auth/cloud-platform"];

    private readonly MetadataServer _metadata = new(surroundings.Set("GCE_METADATA_HOST") ?? MetadataServer.DefaultHost);

    /// <exception cref="GoogleCredentialsException">None, or none that can be used.</exception>
    public async Task<GoogleLogin> FindAsync(CancellationToken cancellationToken)
    {
        if (surroundings.Set(FileVariable) is { } named)
        {
            return await FromFileAsync(named, $"{named} ({FileVariable})", cancellationToken).ConfigureAwait(false)
                ?? throw new GoogleCredentialsException(GoogleCredentialsError.Unusable, $"{FileVariable} names the file {named}, which does not exist.");
        }
        var file = surroundings.LoginFile;
        if (await FromFileAsync(file, file, cancellationToken).ConfigureAwait(false) is { } login)
            return login;
        if (surroundings.Set("NO_GCE_CHECK") is not "true" && await _metadata.IsThereAsync(cancellationToken).ConfigureAwait(false))
            return new(Scoped(_metadata.Credential()), MetadataServerKind, "the metadata server of this machine", await _metadata.ProjectAsync(cancellationToken).ConfigureAwait(false));
        throw new GoogleCredentialsException(GoogleCredentialsError.Missing,
            $"There are no Google credentials: {FileVariable} is not set, {file} does not exist, and no metadata server of Google Cloud answers. "
            + $"Run 'gcloud auth application-default login', or set {FileVariable} to the key file of a service account.");
    }

    private async Task<GoogleLogin?> FromFileAsync(string file, string source, CancellationToken cancellationToken)
    {
        try
        {
            var text = await File.ReadAllTextAsync(file, cancellationToken).ConfigureAwait(false);
            using var json = JsonDocument.Parse(text);
            var kind = Property(json.RootElement, "type") ?? throw Unusable("it has no \"type\"");
            var credential = CredentialFactory.FromJson(text, kind);
            if (surroundings.Clients is { } clients)
                credential = credential.CreateWithHttpClientFactory(clients);
            return new(Scoped(credential), kind, source, Property(json.RootElement, "project_id"));
        }
        catch (Exception absent) when (absent is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
        catch (JsonException)
        {
            // Without the parser's words and without the cause: both may quote the key.
            throw Unusable("it is not JSON");
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
        {
            throw Unusable(unreadable.Message.TrimEnd('.'), unreadable);
        }
        catch (InvalidOperationException incomplete)
        {
            throw Unusable(incomplete.Message.TrimEnd('.'));
        }
        catch (Exception broken) when (broken is not (GoogleCredentialsException or OperationCanceledException))
        {
            // Out of the library's decoder of keys come many kinds of exception.
            throw Unusable("its private key is damaged");
        }

        GoogleCredentialsException Unusable(string why, Exception? cause = null) =>
            new(GoogleCredentialsError.Unusable, $"The Google credentials in {source} can't be used: {why}.", cause);
    }

    private GoogleCredential Scoped(GoogleCredential credential)
    {
        var scoped = credential.CreateScoped(Scopes);
        return surroundings.Set("GOOGLE_CLOUD_QUOTA_PROJECT") is { } quota ? scoped.CreateWithQuotaProject(quota) : scoped;
    }

    private static string? Property(JsonElement element, string name) =>
        element.ValueKind == JsonValueKind.Object && element.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
}
