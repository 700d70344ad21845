namespace Sisyphus.Tests.StoreEmulator.S3;

/// <summary>A write on a condition that is going on: a second one of the same key is told to come again (https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html).</summary>
internal sealed class S3Claim : IDisposable
{
    private readonly S3Bucket _bucket;
    private readonly string? _key;

    public S3Claim(S3Bucket bucket, string key, bool isConditional)
    {
        _bucket = bucket;
        if (!isConditional)
            return;
        lock (bucket.Lock)
        {
            if (!bucket.Conditional.Add(key))
                throw new S3Error(409, "ConditionalRequestConflict", "The conditional request cannot succeed due to a conflicting operation against this resource.");
        }
        _key = key;
    }

    public void Dispose()
    {
        if (_key is null)
            return;
        lock (_bucket.Lock)
            _bucket.Conditional.Remove(_key);
    }
}
