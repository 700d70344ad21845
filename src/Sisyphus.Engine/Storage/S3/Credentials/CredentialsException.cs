namespace Sisyphus.Engine.Storage.S3.Credentials;

/// <summary>A source of credentials gave none.</summary>
/// <param name="message">A clause without full stop and without secrets; may end with what to do.</param>
/// <param name="mayPass">Nobody could be asked just now.</param>
internal sealed class CredentialsException(string message, bool mayPass = false, Exception? cause = null) : Exception(message, cause)
{
    public bool MayPass { get; } = mayPass;
}
