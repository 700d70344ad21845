using Sisyphus.Engine.Google;
using Sisyphus.Engine.Storage;
using Sisyphus.Engine.Storage.Google;
using Sisyphus.Engine.Storage.Transfers;
using Sisyphus.Tests.StoreEmulator.Google;

namespace Sisyphus.Tests.Stores.Google;

/// <summary>Stores on an emulator.</summary>
internal static class GoogleStores
{
    /// <summary>The smallest that the service takes: what happens between chunks needs no large objects.</summary>
    public const int Chunk = 256 * 1024;

    public static GoogleObjectStore Open(GoogleEmulator emulator, string options = "", StoreParts? parts = null, GoogleCredentials? credentials = null, int chunk = Chunk) =>
        GoogleObjectStore.Open(StoreLocation.Parse($"gs:?project=p&{options}"), parts ?? Parts(emulator), credentials, chunk);

    /// <summary>Impatient, so that nobody waits for what goes wrong on purpose.</summary>
    public static StoreParts Parts(GoogleEmulator emulator) => new()
    {
        Transfers = new TransferOptions { BaseDelay = TimeSpan.FromMilliseconds(1), StallTimeout = TimeSpan.FromSeconds(1) },
        Variable = name => name == "STORAGE_EMULATOR_HOST" ? emulator.Address.ToString() : null,
    };

    /// <summary>As long as a busy machine may take.</summary>
    public static StoreParts PatientParts(GoogleEmulator emulator) => new() { Variable = Parts(emulator).Variable };
}
