using System.Net;
using System.Net.Http.Headers;
using Sisyphus.Engine.Google;
using Sisyphus.Engine.Tasks;

namespace Sisyphus.Engine.Storage.Google;

/// <summary>Sends requests to the JSON API: with credentials, watched for standstill, a few times where that may help.</summary>
/// <param name="credentials">Null: the service is not told who we are.</param>
/// <param name="userProject">Pays for what buckets of others cost; null: their owners, or the project of the credentials.</param>
internal sealed class GoogleConnection(GoogleEndpoint endpoint, GoogleCredentials? credentials, string? userProject, StoreParts parts)
{
    private static readonly UriCreationOptions Untouched = new() { DangerousDisablePathAndQueryCanonicalization = true };

    public GoogleEndpoint Endpoint => endpoint;

    public StoreParts Parts => parts;

    /// <summary>Sends, reads the answer, and does so again after an error that may pass.</summary>
    /// <exception cref="TaskFailureException">The last try's.</exception>
    public Task<T> SendAsync<T>(GoogleRequest request, Func<GoogleAnswer, T> read, CancellationToken cancellationToken) => parts.Requests.RunAsync(
        async () =>
        {
            using var answer = await SendOnceAsync(request, cancellationToken).ConfigureAwait(false);
            return read(answer);
        },
        cancellationToken);

    public async Task<GoogleAnswer> SendOnceAsync(GoogleRequest request, CancellationToken cancellationToken)
    {
        for (var fresh = false; ; fresh = true)
        {
            var address = AddressOf(request.Path);
            // A session's address is its own permission, and it may be another server's.
            var token = credentials is not null && endpoint.Owns(address) ? await TokenAsync(request.Action, cancellationToken).ConfigureAwait(false) : null;
            var answer = await TryAsync(request, address, token, cancellationToken).ConfigureAwait(false);
            if (answer.Status == HttpStatusCode.Unauthorized && token is not null && !fresh)
            {
                // Withdrawn, or this machine's clock is slow: once with another one.
                credentials!.Invalidate(token);
                answer.Dispose();
                continue;
            }
            if (answer.Code is >= 200 and < 300 || request.Expected.Contains(answer.Code))
                return answer;
            using (answer)
                throw answer.ToFailure(request.Action);
        }
    }

    private async Task<GoogleAnswer> TryAsync(GoogleRequest request, Uri address, GoogleToken? token, CancellationToken cancellationToken)
    {
        using var stall = new StallWatch(parts.Transfers.StallTimeout, parts.Time, cancellationToken);
        try
        {
            using var message = new HttpRequestMessage(request.Method, address);
            foreach (var (name, value) in request.Headers)
                message.Headers.TryAddWithoutValidation(name, value);
            if (token is not null)
                message.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token.AccessToken);
            if (token?.QuotaProject is { } project && userProject is null)
                message.Headers.TryAddWithoutValidation("x-goog-user-project", project);
            message.Content = request.Content?.Invoke();
            if (message.Content is PieceContent pieces)
                pieces.Sent = stall.Moved;
            var response = await HttpTransport.Client.SendAsync(message, HttpCompletionOption.ResponseHeadersRead, stall.Token).ConfigureAwait(false);
            try
            {
                return await GoogleAnswer.ReadAsync(response, request.Streams && response.IsSuccessStatusCode, parts.Time, stall.Token).ConfigureAwait(false);
            }
            catch
            {
                response.Dispose();
                throw;
            }
        }
        catch (OperationCanceledException e) when (stall.IsStalled)
        {
            throw new TaskFailureException(FailureReason.TransferFailed, $"Can't {request.Action}: nothing moved for {parts.Transfers.StallTimeout.TotalSeconds:0} s.", e);
        }
        catch (Exception e) when (ServiceFailures.IsTransport(e))
        {
            throw ServiceFailures.FromTransport(e, request.Action);
        }
    }

    private async Task<GoogleToken> TokenAsync(string action, CancellationToken cancellationToken)
    {
        try
        {
            return await credentials!.GetTokenAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (GoogleCredentialsException e)
        {
            throw ToFailure(e, action);
        }
    }

    public static TaskFailureException ToFailure(GoogleCredentialsException cause, string action) => new(
        cause.Error == GoogleCredentialsError.Unreachable ? FailureReason.TransferFailed : FailureReason.InputDenied, $"Can't {action}: {cause.Message}", cause);

    private Uri AddressOf(string path)
    {
        if (path.StartsWith("http", StringComparison.Ordinal))
            return new Uri(path, in Untouched);
        var billed = userProject is null ? "" : $"{(path.Contains('?', StringComparison.Ordinal) ? '&' : '?')}userProject={GoogleNames.Encode(userProject)}";
        return new Uri(endpoint.Root + path + billed, in Untouched);
    }
}
