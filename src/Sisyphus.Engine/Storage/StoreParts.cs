using Sisyphus.Engine.Storage.Transfers;

namespace Sisyphus.Engine.Storage;

/// <summary>What the stores of a session share.</summary>
internal sealed class StoreParts
{
    public TransferOptions Transfers { get; init; } = new();
    /// <summary>Where chunks of uploads wait.</summary>
    public TransferMemory Memory { get; init; } = new(TransferOptions.DefaultMemory);
    /// <summary>The environment; null for a variable that is not set.</summary>
    public Func<string, string?> Variable { get; init; } = Environment.GetEnvironmentVariable;
    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>What stores and transfers share.</summary>
    public static StoreParts Of(TransferScheduler scheduler) => new() { Transfers = scheduler.Options, Memory = scheduler.Memory, Time = scheduler.Time };

    /// <summary>For a single request to a service. Short, so that a user is not kept waiting; who moves hours of work has a longer breath of his own (<see cref="Transfers"/>).</summary>
    public Retry Requests => new(
        new TransferOptions { Attempts = 3, BaseDelay = TimeSpan.FromMilliseconds(Math.Min(200, Transfers.BaseDelay.TotalMilliseconds)), MaxDelay = Transfers.MaxDelay }, Time);
}
