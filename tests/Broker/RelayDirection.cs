namespace Sisyphus.Tests.Broker;

/// <summary>Which way bytes go through a <see cref="BrokerRelay"/>.</summary>
[Flags]
internal enum RelayDirection
{
    None = 0,
    ToBroker = 1,
    ToClient = 2,
    Both = ToBroker | ToClient,
}
