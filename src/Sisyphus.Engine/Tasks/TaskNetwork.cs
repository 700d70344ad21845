namespace Sisyphus.Engine.Tasks;

public enum TaskNetwork
{
    /// <summary>Outbound access; consecutive tasks of one slot may share a network namespace.</summary>
    Bridge,
    /// <summary>Outbound access from a network namespace that no other task ever uses.</summary>
    Own,
    /// <summary>Loopback only.</summary>
    None,
}
