namespace Sisyphus.Engine.Tasks;

/// <summary>How outputs get to their final keys.</summary>
public enum TaskPublishing
{
    /// <summary>Staged, decided on, copied inside the store: whatever happens, the outputs are those of one attempt.</summary>
    Staged,
    /// <summary>Decided on, then sent straight to their final keys: half the traffic in a store whose copies are slow. An attempt that dies in between leaves a part, which the next one replaces.</summary>
    Direct,
}
