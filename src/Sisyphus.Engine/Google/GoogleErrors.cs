using System.Net;

using Google.Apis.Auth.OAuth2;
using Google.Apis.Auth.OAuth2.Responses;

namespace Sisyphus.Engine.Google;

/// <summary>Why credentials gave no token, in words that help.</summary>
internal static class GoogleErrors
{
    public static GoogleCredentialsException Describe(Exception error, GoogleLogin login) => error switch
    {
        TokenResponseException { StatusCode: HttpStatusCode.TooManyRequests or HttpStatusCode.RequestTimeout or >= HttpStatusCode.InternalServerError } busy =>
            new(GoogleCredentialsError.Unreachable, $"Google gave no access token for {login.Source}: {Said(busy)}.", error),
        TokenResponseException { Error.Error: "invalid_grant" } expired =>
            new(GoogleCredentialsError.Unusable, $"The Google login in {login.Source} has expired or was revoked ({Said(expired)}). {Remedy(login)}", error),
        TokenResponseException refused =>
            new(GoogleCredentialsError.Unusable, $"Google refuses the credentials in {login.Source}: {Said(refused)}.", error),
        TimeoutException or OperationCanceledException =>
            new(GoogleCredentialsError.Unreachable, $"Google gave no access token for {login.Source} within {GoogleCredentials.TokenLimit.TotalSeconds:0} s.", error),
        HttpRequestException or IOException =>
            new(GoogleCredentialsError.Unreachable, $"Google could not be asked for an access token for {login.Source}: {Innermost(error).Message.TrimEnd('.')}.", error),
        _ => new(GoogleCredentialsError.Unusable, $"The Google credentials in {login.Source} gave no access token: {Innermost(error).Message.TrimEnd('.')}.", error),
    };

    private static string Said(TokenResponseException answer) => string.Join(", ", new[]
    {
        answer.StatusCode is { } status ? $"{(int)status}" : null,
        answer.Error?.Error,
        answer.Error?.ErrorDescription?.TrimEnd('.'),
    }.Where(part => !string.IsNullOrWhiteSpace(part)));

    private static string Remedy(GoogleLogin login) => login.Kind == JsonCredentialParameters.ServiceAccountCredentialType
        ? "Look whether the service account and this key of it still exist, and whether this machine's clock is right."
        : "Log in again with 'gcloud auth application-default login'.";

    private static Exception Innermost(Exception exception) => exception.InnerException is { } inner ? Innermost(inner) : exception;
}
