namespace Sisyphus.Engine.Storage;

/// <summary>Cancels a request over which nothing has moved for a while. The idea is that of YARP's ActivityCancellationTokenSource.</summary>
internal sealed class StallWatch : IDisposable
{
    private readonly CancellationTokenSource _stalled;
    private readonly CancellationTokenSource _either;
    private readonly TimeSpan _limit;
    private readonly CancellationToken _callers;

    public StallWatch(TimeSpan limit, TimeProvider time, CancellationToken cancellationToken)
    {
        (_limit, _callers) = (limit, cancellationToken);
        _stalled = new CancellationTokenSource(limit, time);
        _either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _stalled.Token);
    }

    public CancellationToken Token => _either.Token;

    /// <summary>The watch has canceled, and not the caller.</summary>
    public bool IsStalled => _stalled.IsCancellationRequested && !_callers.IsCancellationRequested;

    public void Moved() => _stalled.CancelAfter(_limit);

    /// <summary>The service has work to do before it answers, and may take so much longer.</summary>
    public void Allow(TimeSpan more) => _stalled.CancelAfter(_limit + more);

    public void Dispose()
    {
        _either.Dispose();
        _stalled.Dispose();
    }
}
