using Sisyphus.Tests.Integration.Execution;

namespace Sisyphus.Tests.Integration.Nodes.Stores;

public sealed class GoogleNodeStoreDirectTests(EngineFixture engine, ShellImageFixture shell) : NodeStoreDirectContract(engine, shell)
{
    private protected override Task<ServiceStore> StartStoreAsync() => GoogleService.StartAsync();
}
