namespace Sisyphus.Engine.Storage.Http;

internal enum NetworkPlaceKind
{
    /// <summary>Some other machine.</summary>
    Elsewhere,
    /// <summary>Loopback, an address of one of its interfaces, or the unspecified address, which means the same when it is connected to.</summary>
    ThisMachine,
    /// <summary>Nothing that an input may come from.</summary>
    Forbidden,
}
