namespace Sisyphus.Engine.Google;

/// <param name="AccessToken">For <c>Authorization: Bearer …</c>; never in a message.</param>
/// <param name="QuotaProject">For the header <c>x-goog-user-project</c>; null where the credential names none.</param>
internal sealed record GoogleToken(string AccessToken, string? QuotaProject)
{
    // The one that a record writes by itself would show the token in logs.
    public override string ToString() => $"{nameof(GoogleToken)} {{ QuotaProject = {QuotaProject} }}";
}
