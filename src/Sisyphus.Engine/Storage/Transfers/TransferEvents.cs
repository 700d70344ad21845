namespace Sisyphus.Engine.Storage.Transfers;

/// <summary>Something that happened to a set of transfers.</summary>
public abstract record TransferEvent;

/// <summary>Dropped rather than queued when the reader is slow: each carries the whole count.</summary>
public sealed record TransferProgressed(TransferProgress Progress) : TransferEvent;

/// <param name="Stored">The object as stored, or null when the destination is a file.</param>
public sealed record TransferCompleted(ObjectTransfer Transfer, ObjectInfo? Stored) : TransferEvent;

public sealed record TransferFailed(ObjectTransfer Transfer, Exception Error) : TransferEvent;
