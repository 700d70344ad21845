using System.Net;
using System.Net.Http.Headers;
using Sisyphus.Engine.Tasks;

namespace Sisyphus.Engine.Storage.Http;

/// <summary>Files of web servers, to read. A bucket is a host with its port, a key the path with its query, as they stand in the address.</summary>
/// <remarks>What is fetched is pinned to the strong ETag, else to the time of the last change and the size; a server that says neither is believed.</remarks>
internal sealed class HttpObjectStore(string scheme, HostGuard guard, HttpClient client, StoreParts parts) : IObjectStore
{
    private const long SkipBuffer = 256 * 1024;

    private readonly HttpExchange _exchange = new(client, guard, parts);

    public string Name => $"{scheme}://";

    public IAsyncEnumerable<string> ListBucketsAsync(CancellationToken cancellationToken) => throw NoLists("");

    /// <summary>Nobody knows; the first file that is asked for tells.</summary>
    public Task<bool> BucketExistsAsync(string bucket, CancellationToken cancellationToken) => Task.FromResult(true);

    public IAsyncEnumerable<ObjectInfo> ListAsync(string bucket, string prefix, CancellationToken cancellationToken) => throw NoLists($"{bucket}/{prefix}");

    public async Task<ObjectInfo?> StatAsync(string bucket, string key, CancellationToken cancellationToken)
    {
        var address = WebAddress.Of(scheme, bucket, key);
        var action = $"look at {WebAddress.Show(address)}";
        HttpFacts? facts;
        using (var head = await _exchange.SendAsync(HttpMethod.Head, address, null, action, (int[])[400, 401, 403, 404, 405, 410, 501], cancellationToken).ConfigureAwait(false))
        {
            if (head.StatusCode is HttpStatusCode.NotFound or HttpStatusCode.Gone)
                return null;
            facts = head.IsSuccessStatusCode ? HttpFacts.Of(head, address, action) : null;
        }
        // Not every server lets itself be asked so, and a signature may be good for GET alone; one that does not tell the size, or says 0 of a content that it has not made yet, may do so with a part.
        if (facts?.Size is null or 0)
        {
            using var part = await _exchange.SendAsync(HttpMethod.Get, address, headers => headers.Range = new RangeHeaderValue(0, 0), action, (int[])[404, 410, 416], cancellationToken).ConfigureAwait(false);
            if (part.StatusCode is HttpStatusCode.NotFound or HttpStatusCode.Gone)
                return null;
            facts = HttpFacts.Of(part, address, action);
        }
        var (path, query) = Cut(key);
        return new ObjectInfo(bucket, path, facts.Size ?? ObjectInfo.UnknownSize, facts.Generation, null, facts.Modified ?? DateTimeOffset.UnixEpoch)
        {
            Query = query,
            HasRanges = facts.HasRanges,
        };
    }

    public async Task<Stream> OpenReadAsync(ObjectInfo info, long offset, long? length, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        var address = WebAddress.Of(scheme, info.Bucket, info.Query is { } query ? $"{info.Key}?{query}" : info.Key);
        var name = WebAddress.Show(address);
        if (info.Size == ObjectInfo.UnknownSize)
        {
            ArgumentOutOfRangeException.ThrowIfNotEqual(offset, 0);
            ArgumentOutOfRangeException.ThrowIfNotEqual(length, null);
        }
        else
        {
            ArgumentOutOfRangeException.ThrowIfGreaterThan(offset, info.Size);
            ArgumentOutOfRangeException.ThrowIfGreaterThan(length ?? 0, info.Size - offset);
        }
        long? wanted = info.Size == ObjectInfo.UnknownSize ? null : length ?? info.Size - offset;
        if (wanted == 0)
            return await IsThereAsync(info, cancellationToken).ConfigureAwait(false) ? Stream.Null : throw StoreFailures.Changed(name);
        var isPart = wanted is not null && (offset > 0 || wanted < info.Size);
        var answer = await _exchange.SendAsync(HttpMethod.Get, address, headers => Pin(headers, info, isPart ? (offset, offset + wanted!.Value - 1) : null), $"read {name}", (int[])[404, 410, 412, 416], cancellationToken).ConfigureAwait(false);
        try
        {
            return await OpenAsync(answer, address, info, offset, wanted, isPart, cancellationToken).ConfigureAwait(false);
        }
        catch
        {
            answer.Dispose();
            throw;
        }
    }

    public Task<ObjectInfo> PutAsync(string bucket, string key, Stream content, UploadState? state, CancellationToken cancellationToken) => throw ReadOnly(bucket, key);

    public Task<ObjectInfo?> CreateIfAbsentAsync(string bucket, string key, ReadOnlyMemory<byte> content, CancellationToken cancellationToken) => throw ReadOnly(bucket, key);

    public Task<ObjectInfo> CopyAsync(ObjectInfo source, string destinationKey, CancellationToken cancellationToken) => throw ReadOnly(source.Bucket, destinationKey);

    public Task CheckWritableAsync(string bucket, IReadOnlyList<string> keys, CancellationToken cancellationToken) => throw ReadOnly(bucket, keys.Count > 0 ? keys[0] : "");

    public Task DeleteAsync(string bucket, string key, CancellationToken cancellationToken) => throw ReadOnly(bucket, key);

    private async Task<Stream> OpenAsync(HttpResponseMessage answer, Uri address, ObjectInfo info, long offset, long? wanted, bool isPart, CancellationToken cancellationToken)
    {
        var name = WebAddress.Show(address);
        if (answer.StatusCode is HttpStatusCode.NotFound or HttpStatusCode.Gone)
            throw StoreFailures.Missing(name);
        if (answer.StatusCode is HttpStatusCode.PreconditionFailed or HttpStatusCode.RequestedRangeNotSatisfiable)
            throw StoreFailures.Changed(name);
        var came = answer.StatusCode == HttpStatusCode.PartialContent;
        var facts = HttpFacts.Of(answer, address, $"read {name}");
        if (facts.Tag == info.Generation && facts.Size is { } size && size != info.Size)
            throw new TaskFailureException(FailureReason.TransferFailed, $"Can't read {name}: {size} bytes come instead of {info.Size}, of what is the same by its ETag.");
        if (!facts.Continue(info, isWhole: !came))
            throw StoreFailures.Changed(name);
        if (came && (!isPart || answer.Content.Headers.ContentRange is not { From: { } from, To: { } to } || from != offset || to >= offset + wanted))
            throw new TaskFailureException(FailureReason.TransferFailed, $"Can't read {name}: the server sends another part of it than was asked for.");
        // A server that sends everything whatever is asked for sends what is before it, too.
        var before = came ? 0 : offset;
        var content = new ObjectContent(await answer.Content.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false), before + wanted, name, answer, parts);
        await SkipAsync(content, before, cancellationToken).ConfigureAwait(false);
        return content;
    }

    /// <summary>What comes has to be of the generation that was looked at: by a condition where the server understands one, and by the answer's headers in any case.</summary>
    private static void Pin(HttpRequestHeaders headers, ObjectInfo info, (long From, long To)? range)
    {
        var tag = info.Generation.StartsWith('"') ? new EntityTagHeaderValue(info.Generation) : null;
        if (range is not { } part)
        {
            if (tag is not null)
                headers.IfMatch.Add(tag);
            return;
        }
        headers.Range = new RangeHeaderValue(part.From, part.To);
        // Without a match the whole comes, with headers that say what it is now (RFC 9110, section 13.1.5).
        if (tag is not null)
            headers.IfRange = new RangeConditionHeaderValue(tag);
        else if (info.Generation != ObjectInfo.UnknownGeneration)
            headers.IfRange = new RangeConditionHeaderValue(info.Modified);
    }

    private async Task<bool> IsThereAsync(ObjectInfo info, CancellationToken cancellationToken)
    {
        var there = await StatAsync(info.Bucket, info.Query is { } query ? $"{info.Key}?{query}" : info.Key, cancellationToken).ConfigureAwait(false)
            ?? throw StoreFailures.Missing($"{Name}{info.Bucket}/{info.Key}");
        return there.Generation == info.Generation && there.Size == info.Size;
    }

    private static async Task SkipAsync(ObjectContent content, long count, CancellationToken cancellationToken)
    {
        var buffer = new byte[(int)Math.Min(SkipBuffer, count)];
        while (count > 0)
            count -= await content.ReadAsync(buffer.AsMemory(0, (int)Math.Min(buffer.Length, count)), cancellationToken).ConfigureAwait(false);
    }

    private static (string Path, string? Query) Cut(string key)
    {
        var at = key.IndexOf('?', StringComparison.Ordinal);
        return at < 0 ? (key, null) : (key[..at], key[(at + 1)..]);
    }

    private TaskFailureException NoLists(string where) => new(FailureReason.InvalidDocument, $"{Name}{where.Split('?')[0]} can't be listed: the web has no lists of files. Name one file.");

    private TaskFailureException ReadOnly(string bucket, string key) => new(FailureReason.InvalidDocument, $"{Name}{bucket}/{Cut(key).Path} can't be written or deleted: web servers are for inputs only.");
}
