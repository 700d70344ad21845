using System.Net.Http.Headers;
using Sisyphus.Engine.Tasks;

namespace Sisyphus.Engine.Storage.Http;

/// <summary>Asks web servers: redirections followed and checked one by one, watched for standstill, a few times where that may help.</summary>
internal sealed class HttpExchange(HttpClient client, HostGuard guard, StoreParts parts)
{
    private const int MaxRedirections = 10;
    private static readonly StringWithQualityHeaderValue AsStored = new("identity");

    /// <summary>Sends, and repeats for an error that may pass.</summary>
    /// <param name="action">"read host:path"</param>
    /// <param name="accepted">Answers that the caller understands besides success.</param>
    /// <returns>The last answer, its content not yet read.</returns>
    /// <exception cref="TaskFailureException"/>
    public Task<HttpResponseMessage> SendAsync(HttpMethod method, Uri address, Action<HttpRequestHeaders>? headers, string action, ReadOnlyMemory<int> accepted, CancellationToken cancellationToken) =>
        parts.Requests.RunAsync(
            async () =>
            {
                var answer = await FollowAsync(method, address, headers, action, cancellationToken).ConfigureAwait(false);
                if (answer.IsSuccessStatusCode || accepted.Span.Contains((int)answer.StatusCode))
                    return answer;
                using (answer)
                    throw ServiceFailures.FromStatus(answer.StatusCode, action, answer.ReasonPhrase ?? "", ServiceFailures.RetryAfter(answer.Headers, parts.Time));
            },
            cancellationToken);

    private async Task<HttpResponseMessage> FollowAsync(HttpMethod method, Uri address, Action<HttpRequestHeaders>? headers, string action, CancellationToken cancellationToken)
    {
        for (var hops = 0; ; hops++)
        {
            await HttpClients.RequireAsync(guard, address, cancellationToken).ConfigureAwait(false);
            var answer = await TryAsync(method, address, headers, action, cancellationToken).ConfigureAwait(false);
            if ((int)answer.StatusCode is not (301 or 302 or 303 or 307 or 308) || !answer.Headers.NonValidated.TryGetValues("Location", out var locations))
                return answer;
            answer.Dispose();
            if (hops == MaxRedirections)
                throw new TaskFailureException(FailureReason.TransferFailed, $"Can't {action}: it is redirected more than {MaxRedirections} times.") { IsRetryable = false };
            var next = WebAddress.Redirected(address, locations.ToString())
                ?? throw new TaskFailureException(FailureReason.TransferFailed, $"Can't {action}: {WebAddress.Show(address)} redirects to what is no address of the web.") { IsRetryable = false };
            if (address.Scheme == Uri.UriSchemeHttps && next.Scheme != Uri.UriSchemeHttps)
                throw new TaskFailureException(FailureReason.InputDenied, $"Can't {action}: {WebAddress.Show(address)} redirects from https to {WebAddress.Show(next)}, where anybody on the way could change the data.");
            address = next;
        }
    }

    private async Task<HttpResponseMessage> TryAsync(HttpMethod method, Uri address, Action<HttpRequestHeaders>? headers, string action, CancellationToken cancellationToken)
    {
        using var stall = new StallWatch(parts.Transfers.StallTimeout, parts.Time, cancellationToken);
        try
        {
            using var message = new HttpRequestMessage(method, address);
            message.Headers.AcceptEncoding.Add(AsStored);
            headers?.Invoke(message.Headers);
            return await client.SendAsync(message, HttpCompletionOption.ResponseHeadersRead, stall.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException e) when (stall.IsStalled)
        {
            throw new TaskFailureException(FailureReason.TransferFailed, $"Can't {action}: nothing came for {parts.Transfers.StallTimeout.TotalSeconds:0} s.", e);
        }
        catch (Exception e) when (HttpClients.DenialIn(e) is { } denial)
        {
            throw new TaskFailureException(denial.Reason, denial.Message, e);
        }
        catch (Exception e) when (ServiceFailures.IsTransport(e))
        {
            throw ServiceFailures.FromTransport(e, action);
        }
    }
}
