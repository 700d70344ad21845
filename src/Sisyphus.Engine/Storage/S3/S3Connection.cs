using System.Xml;
using Amazon;
using Amazon.Runtime;
using Amazon.S3;
using Amazon.S3.Model;
using Sisyphus.Engine.Storage.S3.Credentials;
using Sisyphus.Engine.Tasks;

namespace Sisyphus.Engine.Storage.S3;

/// <summary>Single requests to the service: with credentials, a time limit and a few tries, and failures in the engine's words.</summary>
/// <param name="http">Null for the connections that all stores share.</param>
#pragma warning disable CA1001 // Lives as long as the process: its connections are everybody's, and the rest is memory.
internal sealed class S3Connection(S3Settings settings, StoreParts parts, HttpClient? http = null)
#pragma warning restore CA1001
{
    // The SDK would correct the clock in silence after the first request that fails, and keep that for the address, whoever has it later.
    static S3Connection() => AWSConfigs.CorrectForClockSkew = false;

    private readonly SemaphoreSlim _opening = new(1, 1);
    private volatile Opened? _opened;

    public S3Settings Settings => settings;

    public StoreParts Parts => parts;

    public S3Abilities Abilities => S3Abilities.Of(settings.Endpoint);

    /// <summary>Nobody on the way can change a request, so that its content need not be part of the signature.</summary>
    public bool IsEncrypted => settings.Endpoint is null || settings.Endpoint.Scheme == Uri.UriSchemeHttps;

    /// <param name="action">"read bucket:key"</param>
    /// <param name="request">Makes a new request object each time; it may have been done although it failed.</param>
    /// <exception cref="TaskFailureException">Its cause is the SDK's exception.</exception>
    public Task<T> SendAsync<T>(S3Target target, string action, Func<AmazonS3Client, StallWatch, Task<T>> request, CancellationToken cancellationToken)
    {
        var renewed = false;
        return parts.Requests.RunAsync(
            async () =>
            {
                while (true)
                {
                    var opened = await OpenAsync(cancellationToken).ConfigureAwait(false);
                    try
                    {
                        return await TryAsync(opened.Client, target, action, request, cancellationToken).ConfigureAwait(false);
                    }
                    catch (TaskFailureException e) when (!renewed && S3Failures.HasExpired(e))
                    {
                        renewed = true;
                        Forget(opened);
                    }
                }
            },
            cancellationToken);
    }

    /// <summary>No error when it is not there.</summary>
    public async Task DeleteAsync(S3Target target, string? version, CancellationToken cancellationToken)
    {
        try
        {
            await SendAsync(target, "delete", (client, watch) => client.DeleteObjectAsync(new DeleteObjectRequest { BucketName = target.Bucket, Key = target.Key, VersionId = version }, watch.Token), cancellationToken).ConfigureAwait(false);
        }
        catch (TaskFailureException e) when (e.Reason == FailureReason.InputMissing)
        {
        }
    }

    /// <summary>Takes away what arrived otherwise than it was sent.</summary>
    /// <returns>The failure to throw.</returns>
    public async Task<TaskFailureException> DamagedAsync(S3Target target, S3Generation generation, string told, string expected, CancellationToken cancellationToken)
    {
        await DeleteAsync(target, generation.Version, cancellationToken).ConfigureAwait(false);
        return new TaskFailureException(FailureReason.TransferFailed, $"{target} arrived damaged at {settings.Name}: its checksum is {told} there instead of {expected}. It is deleted.");
    }

    private HttpClient Http => http ?? HttpTransport.Client;

    private async Task<T> TryAsync<T>(S3Client client, S3Target target, string action, Func<AmazonS3Client, StallWatch, Task<T>> request, CancellationToken cancellationToken)
    {
        using var watch = new StallWatch(parts.Transfers.StallTimeout, parts.Time, cancellationToken);
        try
        {
            return await request(client, watch).ConfigureAwait(false);
        }
        catch (Exception e) when (watch.IsStalled)
        {
            throw ServiceFailures.FromTransport(new TimeoutException($"nothing moved for {parts.Transfers.StallTimeout.TotalSeconds:0} s", e), $"{action} {target}");
        }
        catch (Exception e) when (e is AmazonClientException or AmazonServiceException or XmlException || ServiceFailures.IsTransport(e))
        {
            cancellationToken.ThrowIfCancellationRequested();
            throw S3Failures.From(e, target, action, settings, parts.Time);
        }
    }

    private async Task<Opened> OpenAsync(CancellationToken cancellationToken)
    {
        var opened = _opened ?? await FindAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            var keys = await opened.Credentials.GetAsync(cancellationToken).ConfigureAwait(false);
            if (opened.Keys.AccessKey == keys.AccessKey && opened.Keys.Token == keys.Token)
                return opened;
            var renewed = Open(opened.Credentials, keys, opened.Config);
            Interlocked.CompareExchange(ref _opened, renewed, opened);
            return renewed;
        }
        catch (TaskFailureException)
        {
            Forget(opened);
            throw;
        }
    }

    private async Task<Opened> FindAsync(CancellationToken cancellationToken)
    {
        await _opening.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            if (_opened is { } found)
                return found;
            var config = Configure();
            // What asks the instance's metadata server has no asynchronous form.
            if (settings.Endpoint is null && settings.Region is null)
                config.RegionEndpoint = await Task.Run(() => S3Credentials.FindRegion(settings, parts), cancellationToken).WaitAsync(cancellationToken).ConfigureAwait(false);
            var credentials = await S3Credentials.FindAsync(settings, config, parts, Http, cancellationToken).ConfigureAwait(false);
            return _opened = Open(credentials, await credentials.GetAsync(cancellationToken).ConfigureAwait(false), config);
        }
        finally
        {
            _opening.Release();
        }
    }

    // With keys that never change: the SDK asks several times a request, and would sign with one session and send the token of the next.
    private static Opened Open(LimitedCredentials credentials, ImmutableCredentials keys, AmazonS3Config config) =>
        new(credentials, keys, config, new S3Client(S3Credentials.Fixed(keys.AccessKey, keys.SecretKey, keys.Token), config));

    // Everything is looked for again with the next request: a person may have signed in again, in another window.
    private void Forget(Opened opened) => Interlocked.CompareExchange(ref _opened, null, opened);

    private AmazonS3Config Configure()
    {
        var config = new AmazonS3Config
        {
            // This class repeats and limits requests itself.
            MaxErrorRetry = 0,
            MaxStaleConnectionRetries = 0,
            Timeout = Timeout.InfiniteTimeSpan,
            HttpClientFactory = new S3HttpClients(Http),
            BufferSize = 64 * 1024,
            ForcePathStyle = settings.PathStyle,
            // The settings say which service it is, and with that what is known of it.
            IgnoreConfiguredEndpointUrls = true,
            // Sent with each request that has content, as CRC-32C or MD5; compared by whoever reads.
            RequestChecksumCalculation = RequestChecksumCalculation.WHEN_REQUIRED,
            ResponseChecksumValidation = ResponseChecksumValidation.WHEN_REQUIRED,
        };
        if (settings.Endpoint is { } endpoint)
        {
            config.ServiceURL = endpoint.AbsoluteUri;
            config.AuthenticationRegion = settings.Region ?? S3Settings.DefaultRegion;
        }
        else if (settings.Region is { } region)
        {
            config.RegionEndpoint = RegionEndpoint.GetBySystemName(region);
        }
        return config;
    }

    private sealed record Opened(LimitedCredentials Credentials, ImmutableCredentials Keys, AmazonS3Config Config, S3Client Client);
}
