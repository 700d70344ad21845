namespace Sisyphus.Engine.Storage;

/// <summary>How far a set of transfers has come.</summary>
/// <param name="Bytes">Moved so far.</param>
/// <param name="BytesPerSecond">Of late; 0 or more.</param>
/// <param name="TotalBytes">Known so far; grows while a listing goes on.</param>
public readonly record struct TransferProgress(long Bytes, long TotalBytes, int Objects, int TotalObjects, double BytesPerSecond);
