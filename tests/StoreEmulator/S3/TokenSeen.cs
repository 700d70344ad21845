namespace Sisyphus.Tests.StoreEmulator.S3;

/// <summary>A request for credentials that came.</summary>
/// <param name="Operation">As AWS names it.</param>
/// <param name="Role">Its name or ARN; empty where none is meant.</param>
/// <param name="SignedBy">An access key; empty where nothing is signed.</param>
/// <param name="Region">That it is signed for.</param>
/// <param name="Session">The session's name.</param>
public sealed record TokenSeen(string Operation, string Role, string SignedBy, string Region, string Session);
