using Amazon.Runtime;

namespace Sisyphus.Engine.Storage.S3.Credentials;

/// <summary>Credentials that a service hands out for a while: fetched at the first use, and again some minutes before they end.</summary>
/// <remarks>
/// The SDK has classes of the same purpose. They can't be canceled, take the region of a role from the environment instead of the profile, and find the
/// clients of the services by reflection with connections of their own.
/// </remarks>
#pragma warning disable CA1001 // Lives as long as the store that it is for; the semaphore holds nothing of the system's.
internal abstract class TemporaryCredentials(TimeProvider time) : AWSCredentials
#pragma warning restore CA1001
{
    // A request that is signed now may still wait in a queue.
    private static readonly TimeSpan Margin = TimeSpan.FromMinutes(5);
    // A service that is down is not asked with each request, as long as there is something that works.
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(30);

    private readonly SemaphoreSlim _fetching = new(1, 1);
    private volatile Held? _held;

    // Not how this engine asks, but what the SDK's class promises.
    public sealed override ImmutableCredentials GetCredentials() => GetCredentialsAsync().GetAwaiter().GetResult();

    public sealed override Task<ImmutableCredentials> GetCredentialsAsync() => GetAsync(CancellationToken.None);

    /// <exception cref="CredentialsException"/>
    public async Task<ImmutableCredentials> GetAsync(CancellationToken cancellationToken)
    {
        if (_held is { } known && time.GetUtcNow() < known.RenewAt)
            return known.Credentials;
        await _fetching.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            if (_held is { } fetched && time.GetUtcNow() < fetched.RenewAt)
                return fetched.Credentials;
            var session = await FetchAsync(cancellationToken).ConfigureAwait(false);
            _held = new Held(session.Credentials, session.Ends - Margin, session.Ends);
            return session.Credentials;
        }
        catch (CredentialsException) when (Keep() is { } kept)
        {
            return kept;
        }
        finally
        {
            _fetching.Release();
        }
    }

    /// <summary>Those of before, where new ones can't be had, for as long as they work; null for none.</summary>
    public ImmutableCredentials? Keep()
    {
        if (_held is not { } old || time.GetUtcNow() >= old.Ends)
            return null;
        _held = old with { RenewAt = time.GetUtcNow() + Pause };
        return old.Credentials;
    }

    /// <summary>Of this kind or any other of the SDK's.</summary>
    public static Task<ImmutableCredentials> GetAsync(AWSCredentials credentials, CancellationToken cancellationToken) => credentials switch
    {
        TemporaryCredentials temporary => temporary.GetAsync(cancellationToken),
        BasicAWSCredentials or SessionAWSCredentials => credentials.GetCredentialsAsync(),
        // The others ask the network, or run a program, some of them before they return.
        _ => Task.Run(credentials.GetCredentialsAsync, cancellationToken).WaitAsync(cancellationToken),
    };

    /// <exception cref="CredentialsException"/>
    protected abstract Task<Session> FetchAsync(CancellationToken cancellationToken);

    protected sealed record Session(ImmutableCredentials Credentials, DateTimeOffset Ends);

    private sealed record Held(ImmutableCredentials Credentials, DateTimeOffset RenewAt, DateTimeOffset Ends);
}
