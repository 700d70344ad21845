using System.Net;
using System.Net.Sockets;
using System.Xml;
using Amazon.Runtime;

namespace Sisyphus.Engine.Storage.S3.Credentials;

/// <summary>What the services answer that hand out credentials, in words that help and hold no secret.</summary>
internal static class TokenFailures
{
    /// <param name="what">"the role … can't be assumed"</param>
    /// <param name="advise">What to do; null where the answer says it all.</param>
    /// <exception cref="CredentialsException"/>
    public static async Task<T> CallAsync<T>(Func<Task<T>> call, string what, Func<AmazonServiceException, string?> advise)
    {
        try
        {
            return await call().ConfigureAwait(false);
        }
        catch (Exception garbled) when (IsGarbled(garbled))
        {
            // Its own words quote the answer, which may be half of the credentials.
            throw new CredentialsException($"{what}: the answer can't be read", mayPass: true);
        }
        catch (AmazonServiceException error) when (error.StatusCode != 0)
        {
            var advice = advise(error);
            throw new CredentialsException($"{what} ({(int)error.StatusCode}{Sentence(error)}){(advice is null ? "" : $"; {advice}")}", IsTransient(error), error);
        }
        catch (Exception broken) when (broken is AmazonClientException or SocketException || ServiceFailures.IsTransport(broken))
        {
            throw new CredentialsException($"{what}: {Innermost(broken).Message.TrimEnd('.')}", mayPass: true, broken);
        }
    }

    /// <summary>The SDK says it in the time of this machine, or in none.</summary>
    public static DateTimeOffset Utc(DateTime? ends) => ends is { } time ? time.Kind == DateTimeKind.Unspecified ? new DateTimeOffset(time, TimeSpan.Zero) : time : DateTimeOffset.MaxValue;

    private static Exception Innermost(Exception exception) => exception.InnerException is { } inner ? Innermost(inner) : exception;

    private static bool IsGarbled(Exception? exception) => exception is AmazonUnmarshallingException or XmlException or System.Text.Json.JsonException || (exception?.InnerException is { } inner && IsGarbled(inner));

    /// <summary>Whether it may be otherwise the next time. The SDK takes the cause out of exceptions of HTTP.</summary>
    public static bool IsPassing(Exception exception) =>
        ServiceFailures.IsPassing(exception, static cause => cause is AmazonServiceException error && (error.StatusCode == 0 || IsTransient(error)));

    private static bool IsTransient(AmazonServiceException error) =>
        ServiceFailures.IsTransient(error.StatusCode) || error.ErrorCode is "IDPCommunicationError" or "Throttling" or "ThrottlingException" or "RequestLimitExceeded";

    // Where the body was no error of the service's, the code is the status and the message may be anything.
    private static string Sentence(AmazonServiceException error) =>
        error.ErrorCode is { Length: > 0 } code && code != error.StatusCode.ToString() && error.StatusCode != HttpStatusCode.MovedPermanently ? $", {code}: {error.Message.TrimEnd('.')}" : "";
}
