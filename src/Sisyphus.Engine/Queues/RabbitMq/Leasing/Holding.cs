namespace Sisyphus.Engine.Queues.RabbitMq.Leasing;

/// <summary>What became of a task that the board, or a lease, says a session has.</summary>
internal enum Holding
{
    Held,
    /// <summary>The session lives and has not got it: its claim, or its way back, was cut short by the broker or the network. Nobody's loss.</summary>
    Released,
    /// <summary>The session is gone, or let its lease lapse; the task may be the cause.</summary>
    Lost,
}
