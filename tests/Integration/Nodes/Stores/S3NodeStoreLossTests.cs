using Sisyphus.Tests.Integration.Execution;

namespace Sisyphus.Tests.Integration.Nodes.Stores;

public sealed class S3NodeStoreLossTests(EngineFixture engine, ShellImageFixture shell) : NodeStoreLossContract(engine, shell)
{
    private protected override Task<ServiceStore> StartStoreAsync() => S3Service.StartAsync();
}
