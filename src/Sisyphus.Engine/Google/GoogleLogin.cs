using Google.Apis.Auth.OAuth2;

namespace Sisyphus.Engine.Google;

/// <summary>Credentials and where they were found.</summary>
/// <param name="Kind">As the file says: <c>service_account</c>, <c>authorized_user</c>, …; <c>metadata_server</c> for that.</param>
/// <param name="Source">For messages: a file and what named it.</param>
internal sealed record GoogleLogin(GoogleCredential Credential, string Kind, string Source, string? ProjectId);
