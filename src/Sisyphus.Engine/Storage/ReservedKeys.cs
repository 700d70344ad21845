namespace Sisyphus.Engine.Storage;

/// <summary>The part of every bucket that belongs to the engine. Users do not edit objects there in place.</summary>
internal static class ReservedKeys
{
    public const string Prefix = ".sisyphus/";
}
