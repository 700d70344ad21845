namespace Sisyphus.Engine.Containers.Registries;

/// <summary>A source of credentials failed.</summary>
/// <param name="message">A clause without full stop and without secrets.</param>
internal sealed class RegistryLoginException(string message, bool mayPass = false, Exception? cause = null) : Exception(message, cause)
{
    public bool MayPass { get; } = mayPass;
}
