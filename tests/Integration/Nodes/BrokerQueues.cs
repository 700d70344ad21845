namespace Sisyphus.Tests.Integration.Nodes;

/// <summary>Addresses of queues on a broker of these tests.</summary>
internal static class BrokerQueues
{
    /// <summary>One that is empty and nobody else's. The broker notices within three seconds that a process of it is hung.</summary>
    public static string New(Uri broker) => $"{broker}?prefix=t-{Guid.NewGuid().ToString("N")[..12]}&heartbeat=1";
}
