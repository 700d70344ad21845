using System.Globalization;
using System.Net;
using Amazon.Runtime;
using Amazon.Runtime.Internal;
using Sisyphus.Engine.Tasks;

namespace Sisyphus.Engine.Storage.S3;

/// <summary>The service's errors in the engine's words (https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html).</summary>
internal static class S3Failures
{
    public static TaskFailureException From(Exception cause, S3Target target, string action, S3Settings settings, TimeProvider time)
    {
        var what = $"{action} {target}";
        if (cause is not AmazonServiceException error)
            return ServiceFailures.FromTransport(cause, what);
        if (error.StatusCode == 0 || error is AmazonUnmarshallingException)
            return ServiceFailures.FromTransport(cause, what);
        var said = Said(error);
        return error.ErrorCode switch
        {
            "NoSuchBucket" => new(FailureReason.InputMissing, StoreFailures.MissingBucket(target.Bucket, settings.Name).Message, cause),
            "NoSuchKey" => new(FailureReason.InputMissing, StoreFailures.Missing(target.ToString()).Message, cause),
            "InvalidAccessKeyId" => new(FailureReason.InputDenied, $"Can't {what}: the service knows no such access key ({said}). Check the credentials for {settings.Name}.", cause),
            "SignatureDoesNotMatch" => new(FailureReason.InputDenied, $"Can't {what}: the secret access key does not fit the access key, or something on the way has changed the request ({said}).", cause),
            "RequestTimeTooSkewed" => new(FailureReason.InputDenied, $"Can't {what}: this machine's clock is wrong{Skew(error, time)} ({said}). Correct it.", cause) { IsOfTheNode = true },
            "ExpiredToken" or "ExpiredTokenException" or "TokenRefreshRequired" => ServiceFailures.FromStatus(HttpStatusCode.Unauthorized, what, Sentence(error), cause: cause),
            "PermanentRedirect" or "TemporaryRedirect" or "AuthorizationHeaderMalformed" or "IllegalLocationConstraintException" => WrongRegion(error, what, said),
            "KeyTooLongError" or "InvalidURI" or "InvalidObjectName" or "XMinioInvalidObjectName" or "InvalidBucketName" =>
                new(FailureReason.InvalidDocument, $"Can't {what}: the service refuses the name ({said}).", cause),
            "NotImplemented" => new(FailureReason.TransferFailed, $"Can't {what}: {settings.Name} does not know how ({said}).", cause) { IsRetryable = false },
            _ when IsMoved(error.StatusCode) => WrongRegion(error, what, said),
            _ when IsSilent(error) => Header(error, "x-amz-bucket-region") is { Length: > 0 } region && region != settings.Region
                ? WrongRegion(error, what, said)
                : new(FailureReason.InputDenied, $"Can't {what}: the service refuses the request and does not say why ({said}). Mostly the session has expired, or the region is another one.", cause),
            _ when IsTransient(error) => new(FailureReason.TransferFailed, $"Can't {what}: the service answered {said}.", cause) { IsRetryable = true, RetryAfter = RetryAfter(error, time) },
            _ => ServiceFailures.FromStatus(error.StatusCode, what, Sentence(error), cause: cause),
        };
    }

    /// <summary>Whether other credentials may help.</summary>
    public static bool HasExpired(TaskFailureException failure) =>
        failure.InnerException is AmazonServiceException error
        && (error.StatusCode == HttpStatusCode.Unauthorized || error.ErrorCode is "ExpiredToken" or "ExpiredTokenException" or "TokenRefreshRequired" || IsSilent(error));

    public static HttpStatusCode Status(TaskFailureException failure) => (failure.InnerException as AmazonServiceException)?.StatusCode ?? 0;

    public static string Code(TaskFailureException failure) => (failure.InnerException as AmazonServiceException)?.ErrorCode ?? "";

    /// <summary>Nothing was done, for certain: the service said no before it did anything.</summary>
    public static bool IsRefusal(Exception failure) =>
        failure is AmazonServiceException { StatusCode: >= HttpStatusCode.BadRequest and < HttpStatusCode.InternalServerError and not HttpStatusCode.RequestTimeout };

    // What was damaged on the way, or met another request, is worth a second try, as is what the service has no time for.
    private static bool IsTransient(AmazonServiceException error) =>
        error.ErrorCode is "RequestTimeout" or "SlowDown" or "InternalError" or "ServiceUnavailable" or "Throttling" or "ThrottlingException" or "RequestLimitExceeded"
            or "BadDigest" or "XAmzContentSHA256Mismatch" or "XAmzContentChecksumMismatch" or "IncompleteBody" or "ConditionalRequestConflict" or "OperationAborted"
        || (ServiceFailures.IsTransient(error.StatusCode) && error.StatusCode != HttpStatusCode.NotImplemented);

    // The answer to HEAD has no body that could name the error.
    private static bool IsSilent(AmazonServiceException error) => error.StatusCode == HttpStatusCode.BadRequest && Sentence(error).Length == 0;

    private static TaskFailureException WrongRegion(AmazonServiceException error, string what, string said) => new(
        FailureReason.TransferFailed,
        $"Can't {what}: the bucket is in {(Header(error, "x-amz-bucket-region") is { Length: > 0 } region ? $"the region {region}: set the option region={region} of the location, or AWS_REGION" : "another region: set the option 'region' of the location, or AWS_REGION")} ({said}).",
        error) { IsRetryable = false };

    private static string Skew(AmazonServiceException error, TimeProvider time)
    {
        if (!DateTimeOffset.TryParse(Header(error, "Date"), CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var there))
            return "";
        var ahead = time.GetUtcNow() - there;
        return $": it is {Math.Abs(ahead.TotalMinutes):N0} min {(ahead > TimeSpan.Zero ? "ahead of" : "behind")} the service's";
    }

    private static TimeSpan? RetryAfter(AmazonServiceException error, TimeProvider time)
    {
        var text = Header(error, "Retry-After");
        if (double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var seconds) && seconds < TimeSpan.MaxValue.TotalSeconds)
            return TimeSpan.FromSeconds(seconds);
        return DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var date) && date > time.GetUtcNow() ? date - time.GetUtcNow() : null;
    }

    private static string? Header(AmazonServiceException error, string name) =>
        error.InnerException is HttpErrorResponseException { Response: { } response } && response.IsHeaderPresent(name) ? response.GetHeaderValue(name) : null;

    private static bool IsMoved(HttpStatusCode status) => status is >= HttpStatusCode.MultipleChoices and < HttpStatusCode.BadRequest and not HttpStatusCode.NotModified;

    private static string Said(AmazonServiceException error) => Sentence(error) is { Length: > 0 } sentence ? $"{(int)error.StatusCode}, {sentence}" : $"{(int)error.StatusCode}";

    // The answer to HEAD has no body; the SDK makes up a sentence for it. The body of an error that is no XML may hold anything.
    private static string Sentence(AmazonServiceException error) =>
        error.ErrorCode is not { Length: > 0 } code || code == error.StatusCode.ToString() ? ""
        : error is Amazon.S3.AmazonS3Exception { ResponseBody.Length: > 0 } ? code
        : $"{code}: {error.Message.TrimEnd('.')}";
}
