namespace Sisyphus.Engine.Google;

/// <summary>No access token. What that means for a task (an input denied, a pull denied) is known to whoever wanted it.</summary>
/// <param name="message">Says what was looked for and what to do, without secrets.</param>
internal sealed class GoogleCredentialsException(GoogleCredentialsError error, string message, Exception? cause = null) : Exception(message, cause)
{
    public GoogleCredentialsError Error { get; } = error;
}
