using Sisyphus.Tests.Broker;

using Xunit;

namespace Sisyphus.Tests.Integration.Nodes;

/// <summary>Tests that share a broker, one after the other: some of them restart it.</summary>
[CollectionDefinition(nameof(NodeBroker))]
public sealed class NodeBroker : ICollectionFixture<OwnBrokerFixture>;
