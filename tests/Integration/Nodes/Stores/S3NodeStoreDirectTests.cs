using Sisyphus.Tests.Integration.Execution;

namespace Sisyphus.Tests.Integration.Nodes.Stores;

public sealed class S3NodeStoreDirectTests(EngineFixture engine, ShellImageFixture shell) : NodeStoreDirectContract(engine, shell)
{
    private protected override Task<ServiceStore> StartStoreAsync() => S3Service.StartAsync();
}
