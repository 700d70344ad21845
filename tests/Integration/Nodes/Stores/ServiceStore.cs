using Sisyphus.Tests.StoreEmulator.Faults;

namespace Sisyphus.Tests.Integration.Nodes.Stores;

/// <summary>A store that is a service, with the buckets <see cref="In"/> and <see cref="Out"/>: nodes reach it by its port, and the test looks into it from behind.</summary>
internal abstract class ServiceStore : IAsyncDisposable
{
    public const string In = "lab-in";
    public const string Out = "lab-out";

    /// <summary>Outputs of a task that go in one request.</summary>
    public const int SmallOutputs = 2;

    /// <summary>As settings write it.</summary>
    public abstract string Location { get; }

    /// <summary>What a process needs to be let in.</summary>
    public virtual IReadOnlyDictionary<string, string> Environment { get; } = new Dictionary<string, string>();

    public abstract void Put(string bucket, string key, ReadOnlySpan<byte> content);

    public abstract IReadOnlyDictionary<string, byte[]> Contents(string bucket);

    /// <summary>Requests of that kind so far.</summary>
    public abstract int Count(StoreStep step);

    public abstract Fault Inject(StoreStep step, FaultKind kind, int times = 1, int skip = 0, TimeSpan? lasts = null, int? retryAfter = null);

    public abstract ValueTask DisposeAsync();

    /// <summary>For services whose requests name the object in their path.</summary>
    protected static Fault FaultOf(StoreStep step, string operation, FaultKind kind, int times, int skip, TimeSpan? lasts, int? retryAfter) =>
        new(operation, kind, times, skip + (step == StoreStep.MarkDone ? 1 : 0)) { About = About(step), Lasts = lasts, RetryAfterSeconds = retryAfter };

    /// <summary>What the paths of such requests have in them.</summary>
    protected static string About(StoreStep step) => step switch
    {
        StoreStep.Fetch => $"/{In}/",
        StoreStep.Stage => "/outputs/",
        StoreStep.Decide or StoreStep.MarkDone => "/published.json",
        StoreStep.Send => $"/{Out}/final/",
        _ => "",
    };
}
