using Docker.DotNet;

using Sisyphus.Engine.Tasks;

namespace Sisyphus.Engine.Containers.Docker;

/// <summary>Every call to the engine goes through here: it gets a time limit of its own beside the caller's token, and its errors become failures of the taxonomy.</summary>
internal sealed class EngineCalls(DockerClient client, EngineEndpoint endpoint)
{
    /// <summary>The action of the first call, whose garbled answer means that no engine is there.</summary>
    public const string Greeting = "be asked who it is";
    /// <summary>For calls that only ask.</summary>
    public static readonly TimeSpan Quick = TimeSpan.FromSeconds(60);
    /// <summary>For calls that make the engine work: create, start, unpack.</summary>
    public static readonly TimeSpan Slow = TimeSpan.FromSeconds(180);
    /// <summary>For what must be cleaned up.</summary>
    public static readonly TimeSpan Removal = TimeSpan.FromSeconds(30);

    public DockerClient Client { get; } = client;
    public EngineEndpoint Endpoint { get; } = endpoint;

    /// <param name="action">Completes "could not …" in messages.</param>
    /// <exception cref="TaskFailureException">Its cause is the <see cref="DockerApiException"/> where the engine answered (<see cref="EngineErrors.Answer"/>).</exception>
    public async Task<T> CallAsync<T>(string action, TimeSpan limit, Func<DockerClient, CancellationToken, Task<T>> call, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        using var limited = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limited.CancelAfter(limit);
        var running = call(Client, limited.Token);
        try
        {
            // The library's connect and TLS handshake do not look at the token: the limit must hold all the same.
            return await running.WaitAsync(limited.Token).ConfigureAwait(false);
        }
        catch (Exception) when (cancellationToken.IsCancellationRequested)
        {
            Abandon(running);
            throw new OperationCanceledException(cancellationToken);
        }
        catch (OperationCanceledException late)
        {
            Abandon(running);
            throw Describe(new TimeoutException($"No answer within {limit.TotalSeconds:0} s.", late), action)!;
        }
        catch (Exception error) when (error is not TaskFailureException && Describe(error, action) is { } failure)
        {
            throw failure;
        }
    }

    public Task CallAsync(string action, TimeSpan limit, Func<DockerClient, CancellationToken, Task> call, CancellationToken cancellationToken) =>
        CallAsync(action, limit, async (client, token) =>
        {
            await call(client, token).ConfigureAwait(false);
            return true;
        }, cancellationToken);

    public TaskFailureException? Describe(Exception exception, string action) => EngineErrors.Describe(exception, Endpoint, action);

    /// <summary>Nobody waits any more; an error that still comes has been reported already.</summary>
    public static void Abandon(Task running) => _ = running.ContinueWith(
        static finished => _ = finished.Exception, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);

    // Nobody waits any more; what still comes is closed, and its error has been reported already.
    private static void Abandon<T>(Task<T> running) => _ = running.ContinueWith(
        static finished =>
        {
            if (finished.IsCompletedSuccessfully)
                (finished.Result as IDisposable)?.Dispose();
            else
                _ = finished.Exception;
        },
        CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
}
