using Azure.Core.Pipeline;
using Azure.Storage.Blobs;
using Sisyphus.Engine.Tasks;

namespace Sisyphus.Engine.Storage.Azure;

/// <summary>Calls the service through Azure's library: with a login, watched for standstill, a few times where that may help.</summary>
internal sealed class AzureConnection(AzureAccount account, string? sas, StoreParts parts)
{
    private readonly Lock _opening = new();
    private Session? _session;

    public StoreParts Parts => parts;

    public AzureAccount Account => account;

    public string Name => account.Endpoint is { } endpoint ? $"az://{account.Name}?endpoint={endpoint.GetLeftPart(UriPartial.Path)}" : $"az://{account.Name}";

    /// <summary>Calls, and repeats for an error that may pass.</summary>
    /// <param name="action">"read bucket:key"</param>
    /// <exception cref="TaskFailureException">The last try's.</exception>
    public Task<T> CallAsync<T>(string action, Func<AzureCall, Task<T>> call, CancellationToken cancellationToken) =>
        parts.Requests.RunAsync(() => CallOnceAsync(action, call, cancellationToken), cancellationToken);

    public async Task<T> CallOnceAsync<T>(string action, Func<AzureCall, Task<T>> call, CancellationToken cancellationToken)
    {
        for (var fresh = false; ; fresh = true)
        {
            var session = Open();
            using var stall = new StallWatch(parts.Transfers.StallTimeout, parts.Time, cancellationToken);
            try
            {
                return await call(new AzureCall(session.Client, session.Login, stall)).ConfigureAwait(false);
            }
            catch (global::Azure.RequestFailedException e) when (e.Status == 401 && !fresh)
            {
                // Withdrawn, or renewed in the environment: once with another one.
                Interlocked.CompareExchange(ref _session, null, session);
            }
            catch (Exception) when (stall.IsStalled)
            {
                throw new TaskFailureException(FailureReason.TransferFailed, $"Can't {action}: nothing moved for {parts.Transfers.StallTimeout.TotalSeconds:0} s.");
            }
            catch (Exception e) when (AzureErrors.IsOurs(e) && !cancellationToken.IsCancellationRequested)
            {
                throw AzureErrors.ToFailure(e, action, parts.Time);
            }
        }
    }

    private Session Open()
    {
        lock (_opening)
        {
            if (_session is { } open)
                return open;
            var options = new BlobClientOptions
            {
                // A key begins and ends as it does.
                TrimBlobNameSlashes = false,
                Transport = new HttpClientTransport(HttpTransport.Client),
                // Ours are the tries, and the limit that progress resets.
                Retry = { MaxRetries = 0, NetworkTimeout = TimeSpan.FromDays(1) },
                Diagnostics = { IsLoggingEnabled = false, IsTelemetryEnabled = false, IsDistributedTracingEnabled = false },
            };
            var login = new AzureLogin(account, sas, parts.Variable);
            return _session = new Session(login.Open(options), login);
        }
    }

    private sealed record Session(BlobServiceClient Client, AzureLogin Login);
}
