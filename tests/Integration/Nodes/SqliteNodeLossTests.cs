using Sisyphus.Tests.Integration.Execution;

namespace Sisyphus.Tests.Integration.Nodes;

public sealed class SqliteNodeLossTests(EngineFixture engine, ShellImageFixture shell) : NodeLossContract(engine, shell)
{
    private protected override Task<IAsyncDisposable> HoldUpAsync() => Task.FromResult<IAsyncDisposable>(new Held(new QueueFileConnection(Address)));

    /// <summary>Whoever holds the queue's file holds all others up.</summary>
    private sealed class Held : IAsyncDisposable
    {
        private readonly QueueFileConnection _file;

        public Held(QueueFileConnection file)
        {
            _file = file;
            file.Execute("BEGIN IMMEDIATE");
        }

        public ValueTask DisposeAsync()
        {
            _file.Execute("COMMIT");
            _file.Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
