using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using Sisyphus.Engine.Tasks;

namespace Sisyphus.Engine.Storage;

/// <summary>What a store's service answers, as failures: the same trouble has the same reason whichever service it is.</summary>
internal static class ServiceFailures
{
    /// <param name="action">"read bucket:key from gs:"</param>
    /// <param name="detail">The service's own words, without secrets; may be empty.</param>
    public static TaskFailureException FromStatus(HttpStatusCode status, string action, string detail, TimeSpan? retryAfter = null, Exception? cause = null)
    {
        var said = $"{(int)status}{(detail.Length > 0 ? $", {detail.TrimEnd('.')}" : "")}";
        return status switch
        {
            HttpStatusCode.Unauthorized => new(FailureReason.InputDenied, $"Can't {action}: the credentials are missing, wrong or have expired ({said}).", cause),
            HttpStatusCode.Forbidden => new(FailureReason.InputDenied, $"Can't {action}: permission denied ({said}).", cause),
            HttpStatusCode.NotFound or HttpStatusCode.Gone => new(FailureReason.InputMissing, $"Can't {action}: it does not exist ({said}).", cause),
            _ => new(FailureReason.TransferFailed, $"Can't {action}: the service answered {said}.", cause) { IsRetryable = IsTransient(status), RetryAfter = retryAfter },
        };
    }

    /// <summary>A connection that could not be made, or broke.</summary>
    public static TaskFailureException FromTransport(Exception cause, string action) =>
        new(FailureReason.TransferFailed, $"Can't {action}: {Telling(cause).Message}", cause);

    /// <summary>https://cloud.google.com/storage/docs/retry-strategy, and the same for the other services.</summary>
    public static bool IsTransient(HttpStatusCode status) => status is HttpStatusCode.RequestTimeout or HttpStatusCode.TooManyRequests || (int)status >= 500;

    public static bool IsTransport(Exception exception) => exception is HttpRequestException or IOException or TimeoutException;

    /// <summary>Whether what failed to hand out credentials may do so the next time: it was not reached, or did not answer in time.</summary>
    /// <param name="alsoPasses">Of the exceptions that the service's own library has.</param>
    public static bool IsPassing(Exception? exception, Func<Exception, bool> alsoPasses) => exception switch
    {
        null => false,
        HttpRequestException or HttpIOException or SocketException or TimeoutException or OperationCanceledException => true,
        AggregateException several => several.InnerExceptions.Any(one => IsPassing(one, alsoPasses)),
        _ => alsoPasses(exception) || IsPassing(exception.InnerException, alsoPasses),
    };

    /// <summary>Retry-After (RFC 9110, 10.2.3) as a time from now.</summary>
    public static TimeSpan? RetryAfter(HttpResponseHeaders headers, TimeProvider time) => headers.RetryAfter switch
    {
        { Delta: { } delta } => delta,
        { Date: { } date } when date > time.GetUtcNow() => date - time.GetUtcNow(),
        _ => null,
    };

    // "An error occurred while sending the request" says nothing, the cause below does; but of a socket's only what is around it says where.
    private static Exception Telling(Exception exception) => exception switch
    {
        HttpRequestException { InnerException: SocketException } => exception,
        { InnerException: { } inner } => Telling(inner),
        _ => exception,
    };
}
