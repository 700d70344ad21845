using Google.Apis.Auth.OAuth2;

namespace Sisyphus.Engine.Google;

/// <summary>The one Google login of this process, for the store and for the registries: found at the first use and when another one is named or written, refreshed before it expires.</summary>
/// <remarks>Service account files, the user's login of gcloud, impersonated service accounts, workload and workforce identity, and the metadata server.</remarks>
internal sealed class GoogleCredentials(GoogleSurroundings surroundings, TimeProvider time) : IDisposable
{
    /// <summary>However often the library tries again inside, a caller waits no longer for a token.</summary>
    public static readonly TimeSpan TokenLimit = TimeSpan.FromSeconds(60);
    /// <summary>So long nobody looks again where there was nothing.</summary>
    public static readonly TimeSpan MissingFor = TimeSpan.FromSeconds(60);

    private const string QuotaHeader = "x-goog-user-project";

    private readonly GoogleLoginFinder _finder = new(surroundings);
    private readonly SemaphoreSlim _finding = new(1, 1);
    private volatile Known? _known;
    private volatile string? _lastToken;
    private GoogleCredentialsException? _missing;
    private GoogleLoginState? _missingBy;
    private long _missingSince;

    public static GoogleCredentials Default { get; } = new(GoogleSurroundings.OfThisProcess(), TimeProvider.System);

    /// <summary>A token that is good for some minutes at least, where the server gives such.</summary>
    /// <exception cref="GoogleCredentialsException">No credentials, or none that give a token.</exception>
    public async ValueTask<GoogleToken> GetTokenAsync(CancellationToken cancellationToken)
    {
        var login = await LoginAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            // A time limit of our own: inside, the library refreshes without any token.
            var token = await ((ITokenAccessWithHeaders)login.Credential).GetAccessTokenWithHeadersForRequestAsync(null, cancellationToken)
                .WaitAsync(TokenLimit, time, cancellationToken).ConfigureAwait(false);
            _lastToken = token.AccessToken;
            return new(token.AccessToken, token.Headers is not null && token.Headers.TryGetValue(QuotaHeader, out var project) ? project[0] : null);
        }
        catch (Exception error) when (!cancellationToken.IsCancellationRequested)
        {
            Forget(login);
            throw GoogleErrors.Describe(error, login);
        }
    }

    /// <summary>Where the credentials come from, for messages; null before the first use.</summary>
    public string? Source => _known?.Login.Source;

    /// <summary><c>GOOGLE_CLOUD_PROJECT</c>, or else the project that the credentials belong to; null where neither says.</summary>
    /// <exception cref="GoogleCredentialsException">No credentials.</exception>
    public async ValueTask<string?> GetProjectIdAsync(CancellationToken cancellationToken) =>
        surroundings.Set("GOOGLE_CLOUD_PROJECT") ?? (await LoginAsync(cancellationToken).ConfigureAwait(false)).ProjectId;

    /// <summary>After a 401: the next call reads the credentials anew and asks for a new token.</summary>
    /// <param name="rejected">The token that was refused: of many callers with the same one only the first does anything. Null for whichever there is.</param>
    public void Invalidate(GoogleToken? rejected = null)
    {
        if (_known is { } known && (rejected is null || rejected.AccessToken == _lastToken))
            Interlocked.CompareExchange(ref _known, null, known);
    }

    public void Dispose() => _finding.Dispose();

    private void Forget(GoogleLogin login)
    {
        if (_known is { } known && known.Login == login)
            Interlocked.CompareExchange(ref _known, null, known);
    }

    private async ValueTask<GoogleLogin> LoginAsync(CancellationToken cancellationToken)
    {
        var state = GoogleLoginState.Of(surroundings);
        if (_known is { } known && known.By == state)
            return known.Login;
        await _finding.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            var old = _known;
            if (old is not null && old.By == state)
                return old.Login;
            // A file that is gone or half written is not the end of a login that works: somebody may be writing it anew.
            var isRewritten = old is not null && old.By.Places == state.Places;
            try
            {
                var login = isRewritten && state.Stamp is null ? old!.Login : await FindAsync(state, cancellationToken).ConfigureAwait(false);
                _known = new(login, state);
                return login;
            }
            catch (GoogleCredentialsException) when (isRewritten)
            {
                _known = new(old!.Login, state);
                return old.Login;
            }
        }
        finally
        {
            _finding.Release();
        }
    }

    private async Task<GoogleLogin> FindAsync(GoogleLoginState state, CancellationToken cancellationToken)
    {
        if (_missing is { } missing && _missingBy == state && time.GetElapsedTime(_missingSince) < MissingFor)
            throw new GoogleCredentialsException(missing.Error, missing.Message, missing);
        try
        {
            return await _finder.FindAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (GoogleCredentialsException none) when (none.Error == GoogleCredentialsError.Missing)
        {
            (_missing, _missingBy, _missingSince) = (none, state, time.GetTimestamp());
            throw;
        }
    }

    private sealed record Known(GoogleLogin Login, GoogleLoginState By);
}
