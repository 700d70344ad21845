namespace Sisyphus.Engine.Containers.Docker;

/// <summary>Reports on the spot; <see cref="Progress{T}"/> would do so later and on another thread.</summary>
internal sealed class Immediate<T>(Action<T> report) : IProgress<T>
{
    public void Report(T value) => report(value);
}
