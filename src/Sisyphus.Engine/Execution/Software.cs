using System.Reflection;

namespace Sisyphus.Engine.Execution;

/// <summary>This program, as records name it.</summary>
internal static class Software
{
    public static string Name { get; } = $"Sisyphus {typeof(Software).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "?"}";
}
