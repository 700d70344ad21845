using Sisyphus.Engine.Google;

namespace Sisyphus.Engine.Containers.Registries;

/// <summary>Finds what to show a registry: as the docker CLI does, and for Google's registries with the login of the Google store where the CLI has none.</summary>
internal sealed class RegistryLogins(RegistrySurroundings surroundings, GoogleCredentials google)
{
    // https://cloud.google.com/artifact-registry/docs/docker/authentication#token
    private const string GoogleUser = "oauth2accesstoken";

    /// <param name="host">Of <see cref="RegistryHost.Of"/>. The result is for this registry only.</param>
    public async Task<RegistryLogin> FindAsync(string host, CancellationToken cancellationToken)
    {
        var login = await FromDockerAsync(host, cancellationToken).ConfigureAwait(false);
        return login.Credentials is null && !login.IsChosen && RegistryHost.IsGoogle(host)
            ? await FromGoogleAsync(login, cancellationToken).ConfigureAwait(false)
            : login;
    }

    /// <summary>The registry did not accept it.</summary>
    /// <returns>Whether another look-up may give something newer.</returns>
    public bool Reject(RegistryLogin login)
    {
        if (login.Token is null)
            return false;
        google.Invalidate(login.Token);
        return true;
    }

    private async Task<RegistryLogin> FromDockerAsync(string host, CancellationToken cancellationToken)
    {
        try
        {
            if (DockerAuthVariable.Find(surroundings.Variable(DockerAuthVariable.Name), host) is { } given)
                return new(given, $"the login for {host} in {DockerAuthVariable.Name}");
        }
        catch (RegistryLoginException useless)
        {
            // As the CLI does: the file may have what is needed.
            var login = await FromSettingsAsync(host, cancellationToken).ConfigureAwait(false);
            return login.Credentials is null ? login with { Source = $"{useless.Message}; {login.Source}", Failed = true } : login;
        }
        return await FromSettingsAsync(host, cancellationToken).ConfigureAwait(false);
    }

    private async Task<RegistryLogin> FromSettingsAsync(string host, CancellationToken cancellationToken)
    {
        var file = surroundings.ConfigFile;
        var source = $"the login for {host} in {file}";
        var chosen = false;
        try
        {
            var config = await DockerConfig.ReadAsync(file, cancellationToken).ConfigureAwait(false);
            if (config.HelperFor(host, out chosen) is { } name)
            {
                var helper = new CredentialHelper(name, surroundings);
                source = $"the credential helper {helper.Program} for {host}";
                return await helper.GetAsync(RegistryHost.Key(host), cancellationToken).ConfigureAwait(false) is { } kept
                    ? new(kept, source)
                    : new(null, $"{source} ({file}) has none") { IsChosen = chosen };
            }
            return config.EntryFor(host)?.ToCredentials() is { } written ? new(written, source) : new(null, $"there is no login for {host} in {file}");
        }
        catch (RegistryLoginException failure)
        {
            return new(null, failure.Message.StartsWith("its ", StringComparison.Ordinal) ? $"{source} can't be used: {failure.Message}" : failure.Message)
            {
                Failed = true,
                MayPass = failure.MayPass,
                IsChosen = chosen,
            };
        }
    }

    private async Task<RegistryLogin> FromGoogleAsync(RegistryLogin none, CancellationToken cancellationToken)
    {
        try
        {
            var token = await google.GetTokenAsync(cancellationToken).ConfigureAwait(false);
            return new(new(GoogleUser, token.AccessToken), google.Source is { } source ? $"the Google credentials in {source}" : "the Google credentials") { Token = token };
        }
        catch (GoogleCredentialsException failure)
        {
            return new(null, $"{none.Source}; {failure.Message.TrimEnd('.')}")
            {
                Failed = none.Failed || failure.Error != GoogleCredentialsError.Missing,
                MayPass = none.MayPass || failure.Error == GoogleCredentialsError.Unreachable,
            };
        }
    }
}
