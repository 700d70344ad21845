using Sisyphus.Tests.Integration.Execution;

namespace Sisyphus.Tests.Integration.Nodes.Stores;

public sealed class GoogleNodeStoreTroubleTests(EngineFixture engine, ShellImageFixture shell) : NodeStoreTroubleContract(engine, shell)
{
    private protected override Task<ServiceStore> StartStoreAsync() => GoogleService.StartAsync();
}
