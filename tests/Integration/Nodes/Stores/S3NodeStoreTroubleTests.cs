using Sisyphus.Tests.Integration.Execution;

namespace Sisyphus.Tests.Integration.Nodes.Stores;

public sealed class S3NodeStoreTroubleTests(EngineFixture engine, ShellImageFixture shell) : NodeStoreTroubleContract(engine, shell)
{
    private protected override Task<ServiceStore> StartStoreAsync() => S3Service.StartAsync();
}
