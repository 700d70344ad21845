namespace Sisyphus.Tests.StoreEmulator.Faults;

/// <summary>What can go wrong between a service and its client.</summary>
public enum FaultKind
{
    /// <summary>The connection ends before there is an answer; nothing was done.</summary>
    ResetBeforeHeaders,
    /// <summary>Half of the request's content is read, and the connection ends; nothing was done.</summary>
    ResetInRequest,
    /// <summary>The connection ends in the middle of the answer's content.</summary>
    ResetInAnswer,
    /// <summary>It is done, and the connection ends before the answer.</summary>
    AnswerLost,
    /// <summary>429, with Retry-After.</summary>
    TooManyRequests,
    /// <summary>500.</summary>
    InternalError,
    /// <summary>503.</summary>
    Unavailable,
    /// <summary>The service's way to say that a token has expired.</summary>
    ExpiredToken,
    /// <summary>The service's way to say that there is no permission.</summary>
    Forbidden,
    /// <summary>The answer ends early, and as if it were whole.</summary>
    Truncated,
    /// <summary>A bit of the request's content arrives wrong.</summary>
    CorruptRequest,
    /// <summary>A bit of the answer's content arrives wrong.</summary>
    CorruptAnswer,
    /// <summary>The answer begins, and in the middle of its content nothing more comes for as long as the client waits.</summary>
    Silent,
    /// <summary>Nothing comes for as long as the client waits; nothing was done.</summary>
    Stalled,
    /// <summary>Arrives whole, waits until the test lets it go on, and is done then; not if the client has gone by then.</summary>
    Held,
}
