using System.Globalization;
using System.Net;
using System.Xml;
using Azure;
using Azure.Identity;
using Microsoft.Identity.Client;
using Sisyphus.Engine.Tasks;

namespace Sisyphus.Engine.Storage.Azure;

/// <summary>What the service answers, as failures (https://learn.microsoft.com/rest/api/storageservices/blob-service-error-codes).</summary>
internal static class AzureErrors
{
    private static readonly TimeSpan WorthSaying = TimeSpan.FromMinutes(2);

    public static bool IsOurs(Exception exception) => exception is RequestFailedException or AuthenticationFailedException or XmlException || ServiceFailures.IsTransport(exception);

    /// <param name="action">"read bucket:key"</param>
    public static TaskFailureException ToFailure(Exception error, string action, TimeProvider time) => error switch
    {
        RequestFailedException { Status: > 0 } answer => FromAnswer(answer, action, time),
        RequestFailedException broken => ServiceFailures.FromTransport(broken, action),
        XmlException cut => new TaskFailureException(FailureReason.TransferFailed, $"Can't {action}: the service's answer can't be understood: {cut.Message}", cut),
        AuthenticationFailedException login when IsPassing(login) => new TaskFailureException(FailureReason.TransferFailed, $"Can't {action}: the login for Azure could not be had just now ({FirstLine(login.Message)}).", login),
        // Its text lists each login that was tried and why it is none; it holds no secret.
        AuthenticationFailedException none => new TaskFailureException(FailureReason.InputDenied,
            $"Can't {action}: there is no login for Azure. Set {AzureLogin.ConnectionVariable} or {AzureLogin.KeyVariable}, run 'az login', or give the machine an identity ({FirstLine(none.Message)}).", none),
        _ => ServiceFailures.FromTransport(error, action),
    };

    // Unavailable is what is not there: nobody has asked, or there is nobody to ask.
    private static bool IsPassing(AuthenticationFailedException login) => login is not CredentialUnavailableException && ServiceFailures.IsPassing(login, static cause => cause switch
    {
        RequestFailedException answer => answer.Status == 0 || ServiceFailures.IsTransient((HttpStatusCode)answer.Status),
        MsalServiceException answer => ServiceFailures.IsTransient((HttpStatusCode)answer.StatusCode),
        _ => false,
    });

    public static string Code(RequestFailedException answer) => answer.ErrorCode ?? "";

    public static bool IsMissingContainer(RequestFailedException answer) => Code(answer) is "ContainerNotFound" or "ContainerBeingDeleted" or "ContainerDisabled" or "InvalidResourceName";

    private static TaskFailureException FromAnswer(RequestFailedException answer, string action, TimeProvider time)
    {
        var said = $"{answer.Status} {Code(answer)}: {FirstLine(answer.Message).TrimEnd('.')}";
        switch (Code(answer))
        {
            case "AuthenticationFailed" or "InvalidAuthenticationInfo" or "NoAuthenticationInformation":
                return Denied($"the key, signature or token is wrong or has expired{ClockOf(answer, time)} ({said})");
            case "AuthorizationPermissionMismatch":
                return Denied($"the login lacks a role for data, such as Storage Blob Data Contributor, or the signature a permission ({said})");
            case "AuthorizationFailure" or "AuthorizationServiceMismatch" or "AuthorizationResourceTypeMismatch" or "AuthorizationProtocolMismatch" or "AuthorizationSourceIPMismatch":
                return Denied($"the signature is not for this, or the account's firewall does not let this machine in ({said})");
            case "BlobArchived" or "BlobBeingRehydrated":
                return Denied($"it is in the archive tier. Set its tier to Hot or Cool, which takes hours, and try again ({said})");
            case "CannotVerifyCopySource" when answer.Status == (int)HttpStatusCode.Conflict:
                return new TaskFailureException(FailureReason.TransferFailed, $"Can't {action}: the source could not be looked at ({said}).", answer);
            case "Md5Mismatch" or "Crc64Mismatch":
                return new TaskFailureException(FailureReason.TransferFailed, $"Can't {action}: it arrived damaged ({said}).");
            case var _ when IsMissingContainer(answer):
                return new TaskFailureException(FailureReason.InputMissing, $"Can't {action}: there is no such container ({said}).");
            default:
                // Where it may hold a signature the answer is not kept.
                return ServiceFailures.FromStatus((HttpStatusCode)answer.Status, action, said[(said.IndexOf(' ', StringComparison.Ordinal) + 1)..], RetryAfter(answer, time), answer.Status is 401 or 403 ? null : answer);
        }

        TaskFailureException Denied(string why) => new(FailureReason.InputDenied, $"Can't {action}: {why}.");
    }

    private static string ClockOf(RequestFailedException answer, TimeProvider time)
    {
        if (answer.GetRawResponse()?.Headers.Date is not { } theirs || (time.GetUtcNow() - theirs).Duration() < WorthSaying)
            return "";
        return $": this machine's clock says {time.GetUtcNow():u} and the service's {theirs:u}, and more than 15 minutes apart nothing is accepted";
    }

    private static TimeSpan? RetryAfter(RequestFailedException answer, TimeProvider time)
    {
        if (answer.GetRawResponse() is not { } response || !response.Headers.TryGetValue("Retry-After", out var text))
            return null;
        if (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds))
            return TimeSpan.FromSeconds(seconds);
        return DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var date) && date > time.GetUtcNow() ? date - time.GetUtcNow() : null;
    }

    private static string FirstLine(string text) => text.Split('\n')[0].Trim();
}
