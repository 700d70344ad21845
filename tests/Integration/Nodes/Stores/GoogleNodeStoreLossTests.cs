using Sisyphus.Tests.Integration.Execution;

namespace Sisyphus.Tests.Integration.Nodes.Stores;

public sealed class GoogleNodeStoreLossTests(EngineFixture engine, ShellImageFixture shell) : NodeStoreLossContract(engine, shell)
{
    private protected override Task<ServiceStore> StartStoreAsync() => GoogleService.StartAsync();
}
